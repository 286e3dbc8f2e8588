/** The chapter of docs/configuration.md about polling.yaml. */
export const pollingFormat = `# polling.yaml

\`[polling] cfg_file\` names the file that says what is polled and how often. Without one, the file that comes with this
package is used: a few meters of instances and volumes, every 300 seconds.

\`\`\`yaml
sources:
  - name: instances
    interval: 60
    meters:
      - cpu
      - memory.usage
      - "disk.device.*"
  - name: everything_else
    interval: 300
    meters:
      - "!cpu"
      - "!memory.usage"
      - "!disk.device.*"
\`\`\`

| Key | | Meaning |
| --- | --- | --- |
| \`name\` | required | Name of the source; a second one of the same name gets a number. |
| \`interval\` | required | Whole seconds between two polls, 1 or more. |
| \`meters\` | required | Which meters are polled; see below. |
| \`resources\` | | List of static resources, in addition to what is discovered. |
| \`group_id_coordination_expression\` | | Shares the pollsters of the source among agents; see [Several agents](several-agents.md). |
| \`discovery\` | | List of discoveries in place of the pollsters' own, as \`local_instances\` or \`endpoint://image\`. |

An entry of \`meters\` is a name or a pattern with \`*\`, \`?\`, \`[abc]\` and \`[!abc]\`; it has to match the whole name. With a
\`!\` in front it excludes. YAML needs quotes around entries that start with \`*\` or \`!\`.

- Exclusions have precedence. A list of exclusions alone takes every other meter.
- Exclusions go with exclusions, with \`*\`, and with patterns that start with \`*\`; not with names.
- \`*\` does not go with names: it takes them already.

The file is YAML 1.1 as PyYAML reads it. A mistake ends the start, or leaves the old sources running on a reload, with
one line for each: file, line, key and what was expected. Unknown keys, keys that come twice, and entries of \`meters\`
that match no known meter, are warnings.
`;
