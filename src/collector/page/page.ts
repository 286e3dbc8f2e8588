/** The page that the collector serves at `/`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Asset } from '../api/server.ts';

/** Of the build; see assemble.ts. */
const FILE = new URL('../../../dist/page.html', import.meta.url);

/** By path. The policy lets the page run what is written in it and ask its own collector, and nothing else. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  const html = readFileSync(FILE, 'utf8');
  const policy = [
    "default-src 'none'",
    `script-src ${inlined(html, 'script')}`,
    `style-src ${inlined(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: html, headers: { 'Content-Security-Policy': policy } }],
  ]);
}

function inlined(html: string, tag: 'script' | 'style'): string {
  const texts = [...html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map(([, text = '']) => text);
  return texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
