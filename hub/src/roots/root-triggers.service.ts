import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ChangeEvent, Events } from '../api/events.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { RootWorldRepository } from './root-world.repository.ts';
import { RootsRepository } from './roots.repository.ts';
import { Roots } from './roots.service.ts';

const GATHER_MS = 250;
/** A fleet that turns healthy asks its root at most this often. */
const PACE_MS = 500;
const SILENCE_SECONDS = 90;
const CONCERNED = ['application', 'applicationset', 'project'] as const;
type Concerned = (typeof CONCERNED)[number];

/**
 * Has roots looked at when something of theirs changed. It listens to the hints that pages get, after the commit, so
 * that reports and expansions never wait for a root's row; what a lost hint would have told, a root that is not
 * settled finds by looking again, and the sweep finds for the others.
 */
@Injectable()
export class RootTriggers implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #gathered = new Map<Concerned, Set<string>>();
  #timer: NodeJS.Timeout | undefined;
  #stop: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    @Inject(Events) private readonly events: Events,
    @Inject(RootWorldRepository) private readonly world: RootWorldRepository,
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#stop = this.events.listen((event) => this.#hear(event));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stop();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Roots whose Applications are on clusters that fell silent or came back: nothing else tells. */
  async sweep(): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      await this.roots.ask(trx, await this.world.onClustersTurned(trx, SILENCE_SECONDS));
      await this.repository.forgetAuthorities(trx);
    });
  }

  #hear(event: ChangeEvent | 'resync'): void {
    if (event === 'resync') return;
    const kind = CONCERNED.find((one) => one === event.kind);
    if (!kind) return;
    const keys = this.#gathered.get(kind) ?? new Set();
    for (const key of event.keys) keys.add(key);
    this.#gathered.set(kind, keys);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#flush());
    }, GATHER_MS);
  }

  async #flush(): Promise<void> {
    const gathered = [...this.#gathered];
    this.#gathered.clear();
    try {
      if (!(await this.world.hasChildren())) return;
      const found = new Set<string>();
      for (const [kind, keys] of gathered)
        for (const id of await this.world.concerned(kind, [...keys])) found.add(id);
      if (found.size === 0) return;
      const at = new Date(Date.now() + PACE_MS);
      await this.repository.db.transaction().execute((trx) => this.roots.ask(trx, [...found], at));
    } catch (error) {
      this.log.warn({ err: error }, 'roots could not be told of a change');
    }
  }
}
