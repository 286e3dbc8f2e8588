/** Milliseconds that tests wait for what comes at once where the machine has nothing else to do. */
export const PATIENCE = 60_000;

/** Aborts when it has not come by then. */
export const soon = () => AbortSignal.timeout(PATIENCE);
