/** Commands of this machine, whose output is the answer. */
import type { Definition } from './definition.ts';
import { runCommand } from './run-command.ts';
import { splitWords } from './shell-words.ts';
import type { Source, Step } from './source.ts';
import type { Template } from './template.ts';

export interface CommandParts {
  readonly form: 'line' | 'words';
  readonly words: readonly Template[];
}

/**
 * A line that stands in the definition goes to a shell, as upstream has it. One that is made of what services answered
 * never does: a tenant names its servers as it likes.
 */
export function commandSource(definition: Definition, { form, words }: CommandParts): Source {
  function step(argv: readonly string[]): Step {
    return {
      key: JSON.stringify(argv),
      fetch: (signal) => runCommand(argv, { what: definition.name, timeout: definition.timeout, signal }),
    };
  }

  return {
    begin(_resource, inputs) {
      const rendered = words.map((word) => word.render(inputs));
      if (form === 'words') return [step(rendered)];
      return rendered.map((line, at) =>
        step(words[at]?.computed === true ? splitWords(line) : ['/bin/sh', '-c', line]),
      );
    },
    follow: (next) => step(splitWords(next)),
  };
}
