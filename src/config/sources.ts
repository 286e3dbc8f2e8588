import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseIni } from './ini.ts';
import { fileProblem, readTextFile } from './text-file.ts';

/** One `key = value` of one file. `file` counts up: the later file has precedence. */
export interface Entry {
  readonly group: string;
  readonly key: string;
  readonly value: string;
  readonly file: number;
  /** `path:line`. */
  readonly where: string;
}

export interface GroupHeader {
  readonly group: string;
  readonly where: string;
}

export interface FileSources {
  readonly entries: readonly Entry[];
  readonly groups: readonly GroupHeader[];
  /** The files that were read, absolute, in order. */
  readonly files: readonly string[];
  readonly problems: readonly string[];
}

/** The shell leaves `--config-file=~/x` alone. */
export function absolutePath(path: string): string {
  return resolve(path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path);
}

/** Only `DEFAULT` has capitals that count. */
export function groupName(name: string): string {
  return name === 'DEFAULT' ? name : name.toLowerCase();
}

/** Reads files, then the `*.conf` of each directory by name. Goes on after a mistake, to report all of them. */
export function readSources(files: readonly string[], dirs: readonly string[]): FileSources {
  const problems: string[] = [];
  const paths = files.map(absolutePath);
  for (const dir of dirs.map(absolutePath)) {
    try {
      paths.push(...confFiles(dir));
    } catch (error) {
      problems.push(`${dir}: ${directoryProblem(error)}`);
    }
  }
  const entries: Entry[] = [];
  const groups: GroupHeader[] = [];
  for (const [file, path] of paths.entries()) {
    const content = readTextFile(path);
    if ('problem' in content) {
      problems.push(content.problem);
      continue;
    }
    const ini = parseIni(content.text);
    problems.push(...ini.errors.map(({ line, message }) => `${path}:${line}: ${message}`));
    groups.push(...ini.sections.map(({ name, line }) => ({ group: groupName(name), where: `${path}:${line}` })));
    for (const { section, key, value, line } of ini.assignments) {
      entries.push({ group: groupName(section), key, value, file, where: `${path}:${line}` });
    }
  }
  return { entries, groups, files: paths, problems };
}

function confFiles(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .sort()
    .map((name) => join(dir, name));
}

function directoryProblem(error: unknown): string {
  const isFile = error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
  return isFile ? 'is not a directory' : fileProblem(error);
}

/** Where a file that an option names is looked for, as oslo.config's `find_file` does. */
export function searchDirectories(files: readonly string[], dirs: readonly string[]): readonly string[] {
  const home = homedir();
  const standard = [join(home, '.ceilometer'), home, '/etc/ceilometer', '/etc'];
  const beside = files.map((file) => dirname(absolutePath(file))).reverse();
  return [...new Set([...dirs.map(absolutePath), ...beside, ...standard])];
}

/** The file itself, or the first of that name in the directories. */
export function findFile(name: string, directories: readonly string[]): string | undefined {
  const path = absolutePath(name);
  return [path, ...directories.map((directory) => resolve(directory, name))].find((candidate) => existsSync(candidate));
}
