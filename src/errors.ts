/**
 * The errors that cross module borders say who has to act. Match them by `code`, not by `instanceof`:
 * a third-party plugin may carry its own copy of this package.
 */
export class AgentError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The operator has to act: a file, an option or an argument is wrong. Ends the start; a reload keeps the old
 * configuration.
 */
export class ConfigError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CONFIG', message, options);
  }
}

/** A plugin cannot run here (wrong shape, wrong API version, missing tool). It is left out; the others go on. */
export class PluginLoadError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_PLUGIN_LOAD', message, options);
  }
}

/**
 * The driver does not support this for the named resources. They are left out of this pollster until the
 * driver reconnects; passing faults are never reported this way.
 */
export class PermanentPollError extends AgentError {
  readonly resourceIds: readonly string[];

  constructor(message: string, resourceIds: readonly string[], options?: ErrorOptions) {
    super('ERR_POLL_PERMANENT', message, options);
    this.resourceIds = resourceIds;
  }
}

/** There is nothing to say now, and that is no fault. Logged at debug. */
export class NoDataError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_NO_DATA', message, options);
  }
}

/** The other side is at fault or away (libvirt, an API): the next cycle tries again. */
export class ServiceError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SERVICE', message, options);
  }
}

/** A wait passed its deadline. */
export class DeadlineError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DEADLINE', message, options);
  }
}

/** The next hop did not take a batch. `retryable` tells whether the same batch may be sent again. */
export class DeliveryError extends AgentError {
  readonly retryable: boolean;

  constructor(message: string, options: ErrorOptions & { retryable: boolean }) {
    super('ERR_DELIVERY', message, options);
    this.retryable = options.retryable;
  }
}

/** The `code` of an error, also of one that another copy of this package threw. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const logged = new WeakSet<object>();

/** For who logs an error that others will get, too. */
export function markLogged(error: object): void {
  logged.add(error);
}

/** Whether the log tells of the error already, or of what has caused it. */
export function isLogged(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (logged.has(cause)) return true;
  }
  return false;
}

/** One line for a log or a terminal: the message and those of its causes that it does not repeat itself. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let cause = error; cause !== undefined && cause !== null && parts.length < 5; ) {
    const text = cause instanceof Error ? cause.message || codeOf(cause) || cause.name : String(cause);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  // Whatever is thrown has a reason to show, be it `undefined`.
  if (parts.length === 0) return `${error} was thrown`;
  return parts
    .join(': ')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
}
