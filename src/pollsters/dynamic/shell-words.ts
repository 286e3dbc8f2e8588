import { ServiceError } from '../../errors.ts';

/** What a shell would do with these is not done; in quotes they are themselves. */
const FOR_SHELLS = /[|&;<>()$`\n]/;

/** The words of a command as a shell cuts them, quotes and backslashes taken away. Throws where a shell is needed. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;

  function quoted(quote: string): string {
    let text = '';
    for (at += 1; at < line.length; at += 1) {
      const character = line.charAt(at);
      if (character === quote) return text;
      if (quote === '"' && (character === '$' || character === '`')) throw needsShell(character);
      if (quote === '"' && character === '\\' && /["\\$`]/.test(line.charAt(at + 1))) {
        at += 1;
        text += line.charAt(at);
      } else text += character;
    }
    throw new ServiceError(`a command has no closing ${quote}`);
  }

  for (; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '"' || character === "'") word = (word ?? '') + quoted(character);
    else if (character === '\\') {
      at += 1;
      word = (word ?? '') + line.charAt(at);
    } else if (FOR_SHELLS.test(character)) throw needsShell(character);
    else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function needsShell(character: string): ServiceError {
  return new ServiceError(
    `a command made of answers is run without a shell, which ${JSON.stringify(character)} outside of quotes needs`,
  );
}
