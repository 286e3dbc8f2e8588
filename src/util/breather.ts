/** Milliseconds that work goes on at most before sockets are read and written again. */
const LONGEST_TURN = 5;

let turnBegan = 0;
let nextTurn: Promise<void> | undefined;

/**
 * Call it between two pieces of work that many do one after the other without ever waiting: answers that come meanwhile
 * are then read when they come, and what is written gets on its way. Settles at once while the turn is short.
 */
export async function takeBreath(): Promise<void> {
  while (performance.now() - turnBegan > LONGEST_TURN) {
    nextTurn ??= new Promise((resolve) =>
      setImmediate(() => {
        nextTurn = undefined;
        turnBegan = performance.now();
        resolve();
      }),
    );
    await nextTurn;
  }
}
