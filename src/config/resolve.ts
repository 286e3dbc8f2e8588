import { type Environment, environmentName } from './environment.ts';
import { interpolate } from './interpolate.ts';
import { findOption, type KnownOption, knownOptions, spellings } from './known.ts';
import type { Option, OptionValue } from './option.ts';
import type { Entry } from './sources.ts';
import { parseValue } from './value.ts';

export interface Inputs {
  readonly entries: readonly Entry[];
  readonly env: Environment;
  /** What the command line says about an option; undefined when nothing. */
  override(known: KnownOption): OptionValue;
}

export interface Outcome {
  readonly known: KnownOption;
  readonly value: OptionValue;
  /** Whether anything else than the table decides the value. */
  readonly set: boolean;
  /** The file and line, or the variable, that decides it. */
  readonly where?: string;
}

export interface Resolution {
  readonly outcomes: readonly Outcome[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Raised while an option is worked out; its message is complete but for the place. */
class ReferenceProblem extends Error {}

interface Found {
  readonly texts: readonly string[];
  readonly where: string;
}

/** Works out every option: the command line counts most, then the environment, then the files, then the default. */
export function resolveOptions(inputs: Inputs): Resolution {
  const problems: string[] = [];
  const warnings: string[] = [];
  const written = byName(inputs.entries);
  const done = new Map<KnownOption, Outcome>();
  const underway: KnownOption[] = [];

  function outcome(known: KnownOption): Outcome {
    const earlier = done.get(known);
    if (earlier !== undefined) return earlier;
    if (underway.includes(known)) throw new ReferenceProblem(`refers to itself: ${cycle(underway, known)}`);
    underway.push(known);
    try {
      const made = workOut(known);
      done.set(known, made);
      return made;
    } finally {
      underway.pop();
    }
  }

  function workOut(known: KnownOption): Outcome {
    const { option } = known;
    const override = inputs.override(known);
    if (override !== undefined) return { known, value: override, set: true };
    const found = find(known, written, inputs.env) ?? fromVariables(option, inputs.env);
    if (found === undefined) return { known, value: option.default, set: false };

    const place = `${found.where}: [${known.group}] ${known.name}`;
    const problem = (text: string): Outcome => {
      // What changes nothing must not keep the agent from starting.
      if (option.noEffect === undefined) problems.push(`${place}: ${text}`);
      return { known, value: option.noEffect === undefined ? option.default : found.texts, set: true };
    };
    let texts: readonly string[];
    try {
      // What a later line overrides may refer to anything.
      const counted = option.type === 'multi' ? found.texts : found.texts.slice(-1);
      texts = counted.map((text) => interpolate(text, (name) => reference(known, name)));
    } catch (error) {
      if (!(error instanceof ReferenceProblem)) throw error;
      return problem(error.message);
    }
    const parsed = parseValue(option, texts);
    if ('expected' in parsed) return problem(`expected ${parsed.expected}, got ${shown(known, found.texts)}`);
    if (parsed.note !== undefined && option.noEffect === undefined) warnings.push(`${place} ${parsed.note}`);
    return { known, value: parsed.value, set: true, where: found.where };
  }

  /** A name without a group means the group of the option that refers to it, then DEFAULT. */
  function reference(from: KnownOption, name: string): string {
    const dot = name.indexOf('.');
    const target =
      dot < 0
        ? (findOption(from.group, name) ?? findOption('DEFAULT', name))
        : findOption(name.slice(0, dot), name.slice(dot + 1));
    if (target === undefined) {
      const which = from.option.secret ? 'has a reference' : `refers to "${name}",`;
      throw new ReferenceProblem(`${which} which is no option; write $$ for a dollar sign`);
    }
    return asText(outcome(target).value);
  }

  return { outcomes: knownOptions.map(outcome), problems, warnings };
}

type Written = ReadonlyMap<string, readonly Entry[]>;

function byName(entries: readonly Entry[]): Written {
  const written = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = `${entry.group}.${entry.key}`;
    const same = written.get(name);
    if (same === undefined) written.set(name, [entry]);
    else same.push(entry);
  }
  return written;
}

function find(known: KnownOption, written: Written, env: Environment): Found | undefined {
  const variable = environmentName(known.group, known.name);
  const fromEnvironment = env[variable];
  if (fromEnvironment !== undefined) return { texts: [fromEnvironment], where: `environment variable ${variable}` };

  const candidates = spellings(known).flatMap(([group, name], rank) =>
    (written.get(`${group}.${name}`) ?? []).map((entry) => ({ entry, rank })),
  );
  // The later file wins; within one file the current name; under one name the later line.
  candidates.sort((a, b) => a.entry.file - b.entry.file || b.rank - a.rank);
  const last = candidates.at(-1);
  return last && { texts: candidates.map(({ entry }) => entry.value), where: last.entry.where };
}

function fromVariables({ variables = [] }: Option, env: Environment): Found | undefined {
  for (const variable of variables) {
    const text = env[variable];
    if (text !== undefined && text !== '') return { texts: [text], where: `environment variable ${variable}` };
  }
  return undefined;
}

function cycle(underway: readonly KnownOption[], known: KnownOption): string {
  const path = [...underway.slice(underway.indexOf(known)), known];
  return path.map(({ group, name }) => `[${group}] ${name}`).join(' -> ');
}

function shown({ option }: KnownOption, texts: readonly string[]): string {
  if (option.secret) return 'a value that is not shown';
  const text = texts.at(-1) ?? '';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

/** As Python would put a value into a text. */
function asText(value: OptionValue): string {
  if (value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'object' ? value.join(',') : String(value);
}
