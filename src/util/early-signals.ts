/** Signals that come while a program is still being loaded. This file imports nothing, so that it is there first. */

let first: NodeJS.Signals | undefined;

function note(signal: NodeJS.Signals): void {
  // Whoever asks twice does not want to wait until it is loaded.
  if (first !== undefined) process.exit(1);
  first = signal;
}

export function noteEarlySignals(): void {
  process.on('SIGINT', note).on('SIGTERM', note);
}

/** That which came, if one did. */
export function earlySignal(): NodeJS.Signals | undefined {
  return first;
}

/** Leaves signals to another listener from now on. */
export function takeEarlySignal(): NodeJS.Signals | undefined {
  process.off('SIGINT', note).off('SIGTERM', note);
  return first;
}
