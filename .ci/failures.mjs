/**
 * `failures.mjs REPORT LOG`: the tests that a run of vitest calls failed, each with the beginning of its error, in few
 * lines. Where its JSON report knows of none (an error outside of a test, no report at all), the end of the log.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const LINES = 45;
const [report = '', logFile = ''] = process.argv.slice(2);
const log = stripVTControlCharacters(readFileSync(logFile, 'utf8'));

/** The log has what the report leaves out: how a value differs from the one that was expected. */
const shown = new Map(
  log
    .split(/^ FAIL {2}/m)
    .slice(1)
    .map((section) => {
      const [name = '', ...lines] = section.split('\n');
      const end = lines.findIndex((line) => line.startsWith('⎯'));
      return [name.trim(), lines.slice(0, end === -1 ? undefined : end).join('\n')];
    }),
);

function failures() {
  let files = [];
  try {
    files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {}
  return files
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const file = relative('', name);
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      if (tests.length === 0) return [{ title: `${file} as a whole`, text: message }];
      return tests.map(({ ancestorTitles, title: last, failureMessages }) => {
        const title = [file, ...ancestorTitles, last].filter((part) => part !== '').join(' > ');
        return { title, text: shown.get(title) || failureMessages.join('\n') };
      });
    });
}

/** Without what is the same in every error. */
function telling(text) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+(at|❯) .*(node_modules|node:|<anonymous>)/.test(line))
    .map((line) => `    ${line.slice(0, 200)}`);
}

const found = failures();
const each = Math.max(1, Math.floor(LINES / found.length));
const lines = found.flatMap(({ title, text }) => [title, ...telling(text).slice(0, each - 1)]);
for (const line of lines.slice(0, LINES)) console.log(line);
if (lines.length > LINES) console.log(`and more: ${found.length} in all`);
if (found.every(({ text }) => text === '')) console.log(log.trimEnd().split('\n').slice(-30).join('\n'));
