/**
 * Runs one job at a time, in the order in which they were given. libsignal queues jobs by address, but one session
 * record has two addresses (a phone number when sending, a LID when decrypting), and group records have no queue at
 * all; so one lock covers every record of a device.
 */
export function deviceLock() {
  let last: Promise<unknown> = Promise.resolve();
  return <Result>(job: () => Promise<Result>): Promise<Result> => {
    const mine = last.then(job);
    last = mine.catch(() => undefined);
    return mine;
  };
}
