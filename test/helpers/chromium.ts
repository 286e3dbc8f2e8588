import { type Browser, chromium } from 'playwright-core';
import { findBinary } from './services.ts';

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium, without a window and with a profile of its own that goes with it. */
export function startChromium(): Promise<Browser> {
  // Its sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS;
  return chromium.launch({ executablePath: findBinary('chromium'), args, timeout: 60_000 });
}
