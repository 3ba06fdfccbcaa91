/** Does what is added in batches: at once when nothing runs, and what comes meanwhile together after that. */
export class Batched<T, R = void> {
  readonly #run: (items: T[]) => Promise<R>;
  readonly #most: number;
  #waiting: { item: T; done: PromiseWithResolvers<R> }[] = [];
  #running = false;

  /** `most`: how many items a batch has at most. */
  constructor(run: (items: T[]) => Promise<R>, most: number) {
    this.#run = run;
    this.#most = most;
  }

  /** Resolves with what its batch answers once that is done; rejects as its batch does. */
  add(item: T): Promise<R> {
    const done = Promise.withResolvers<R>();
    this.#waiting.push({ item, done });
    if (!this.#running) void this.#work();
    return done.promise;
  }

  async #work(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        const answer = await this.#run(batch.map(({ item }) => item));
        for (const { done } of batch) done.resolve(answer);
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#running = false;
  }
}
