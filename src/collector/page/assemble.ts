/**
 * Part of the build: puts the page together from its script, which tsc wrote as CommonJS modules, its style and uPlot.
 * One file comes out of it, which loads nothing from anywhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMPILED = join(ROOT, '.tmp/page');
const SOURCE = join(ROOT, 'src/collector/page/browser');
const UPLOT = join(ROOT, 'node_modules/uplot');
const MAIN = 'collector/page/browser/main.js';

const read = (...path: string[]) => readFileSync(join(...path), 'utf8').trim();

/** What `main` needs, directly or not, as functions by path; what it needs for its types only is not among them. */
function modules(main: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.set(path, '');
    const needed: string[] = [];
    const text = read(COMPILED, path).replace(/\brequire\("([^"]+)"\)/g, (_, name: string) => {
      if (!name.startsWith('.')) return `require(${JSON.stringify(name)})`;
      const resolved = posix.join(dirname(path), name);
      needed.push(resolved);
      return `require(${JSON.stringify(resolved)})`;
    });
    found.set(path, text.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
    for (const each of needed) visit(each);
  };
  visit(main);
  return found;
}

function script(): string {
  const parts = [...modules(MAIN)].map(
    ([path, text]) => `${JSON.stringify(path)}: (require, exports) => {\n${text}\n}`,
  );
  return `/*\nuPlot\n\n${read(UPLOT, 'LICENSE')}\n*/
${read(UPLOT, 'dist/uPlot.iife.min.js')}
(() => {
const modules = {\n${parts.join(',\n')}\n};
const loaded = { uplot: { __esModule: true, default: uPlot } };
function require(path) {
  if (loaded[path] === undefined) modules[path](require, (loaded[path] = {}));
  return loaded[path];
}
require(${JSON.stringify(MAIN)});
})();`;
}

function filled(html: string, tag: 'script' | 'style', text: string): string {
  if (text.includes(`</${tag}`)) throw new Error(`the page's ${tag} has its own end tag in it`);
  const empty = `<${tag}></${tag}>`;
  if (!html.includes(empty)) throw new Error(`page.html has no ${empty}`);
  return html.replace(empty, () => `<${tag}>\n${text}\n</${tag}>`);
}

const style = `${read(UPLOT, 'dist/uPlot.min.css')}\n${read(SOURCE, 'page.css')}`;
const html = filled(filled(read(SOURCE, 'page.html'), 'style', style), 'script', script());
writeFileSync(new URL('../../page.html', import.meta.url), `${html}\n`);
