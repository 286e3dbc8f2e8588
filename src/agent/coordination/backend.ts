/**
 * Where the agents tell each other that they are there. A backend is opened for one member and does no I/O before the
 * first call. `sync` is not called again before it has ended or its signal has aborted. Calls reject when the service
 * does not answer; the next one then connects anew.
 */
export interface CoordinationBackend {
  /** Where it is, for messages: without secrets. */
  readonly shown: string;
  /** Milliseconds after its last `sync` at which the others no longer see this member. */
  readonly lease: number;
  /**
   * Makes this agent a member of the groups, or keeps it one, and tells all members of each. May be repeated at any
   * time; it also mends what the service has lost.
   */
  sync(groups: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** From now on the others do not see this member in the groups. */
  leave(groups: readonly string[], signal: AbortSignal): Promise<void>;
  /** Lets go of the connections; leaves nothing. Never rejects. */
  close(): Promise<void>;
}
