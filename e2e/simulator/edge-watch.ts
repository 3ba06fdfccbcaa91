import { setTimeout as sleep } from 'node:timers/promises';
import { type Transition, edgeOf } from '@muster/rollout';
import type { Pool } from 'pg';
import { eventually } from '../src/index.ts';

const LOOK_EVERY_MS = 10;
/** How long nothing moves before the hub is killed, as a share of what the last start took. */
const STILL = 0.25;

/**
 * No rollout logs anything before what it logged last was looked at. So whatever is new at a look is where its rollout stands, and
 * it stands there until somebody has looked, however fast the hub is.
 */
const LOCKSTEP = `
  create schema edges;
  create table edges.looked (rollout_id uuid primary key, seq bigint not null);
  insert into edges.looked select id, entries from rollouts;
  create function edges.wait() returns trigger language plpgsql as $$
  declare mine text := coalesce(current_setting('edges.mine', true), '');
  begin
    -- One transaction is one step, whatever it logs.
    if strpos(mine, new.rollout_id::text) = 0 then
      while exists (select from rollout_log l left join edges.looked k using (rollout_id)
          where l.rollout_id = new.rollout_id and l.seq > coalesce(k.seq, 0)) loop
        perform pg_sleep(0.005);
      end loop;
      perform set_config('edges.mine', mine || ' ' || new.rollout_id, true);
    end if;
    return new;
  end $$;
  create trigger lockstep before insert on rollout_log for each row execute function edges.wait()`;

/** What is done to the hub. */
export interface Victim {
  /** SIGKILL; answers when it is dead. */
  kill(): Promise<void>;
  /** Another one, on the same data; answers when it is ready. */
  start(): Promise<void>;
}

/** Where rollouts stand that have moved since the last look. */
interface News {
  id: string;
  entries: number;
  transitions: Transition[];
}

/** Has the hub killed wherever a rollout comes to by a kind of transition at which it was not killed yet. */
export class EdgeWatch {
  /** Kinds of transitions which were the last that a rollout had made when the hub was killed. */
  readonly killedAt = new Set<string>();
  kills = 0;
  #startMs = 0;
  readonly #database: Pool;
  readonly #victim: Victim;
  readonly #stop = new AbortController();
  /** Ends when it was stopped; fails when it could not go on. */
  over: Promise<void> = Promise.resolve();

  private constructor(database: Pool, victim: Victim) {
    this.#database = database;
    this.#victim = victim;
  }

  /** What was logged before counts for nothing. `database`: past the hub. */
  static async start(database: Pool, victim: Victim): Promise<EdgeWatch> {
    const watch = new EdgeWatch(database, victim);
    await database.query(LOCKSTEP);
    watch.over = watch.#watch();
    // Whoever waits for it hears of what failed.
    watch.over.catch(() => undefined);
    return watch;
  }

  /** What rollouts have come to by then is looked at yet. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.over;
    // What still waits for a look does not wait for another.
    await this.#database.query(
      `insert into edges.looked select id, 9223372036854775807 from rollouts on conflict (rollout_id) do update set seq = excluded.seq`,
    );
    await this.#database.query('drop schema edges cascade');
  }

  async #watch(): Promise<void> {
    while (await this.#wanted()) {
      await this.#victim.kill();
      // Others may have come to somewhere before it was dead.
      const there = await this.#look();
      for (const edge of edgesOf(there)) this.killedAt.add(edge);
      this.kills++;
      await this.#letGo(there);
      const before = performance.now();
      await this.#victim.start();
      this.#startMs = performance.now() - before;
    }
  }

  /**
   * Answers whether rollouts stand where no hub was killed yet, once they do. Every other time that is at once, before what follows
   * from a commit has been carried out; else the others go on until nothing moves, so that one kill does for many. False: it was
   * stopped, and none is left.
   */
  async #wanted(): Promise<boolean> {
    const patienceMs = this.kills % 2 === 0 ? 0 : STILL * this.#startMs;
    for (let [held, movedAt] = [0, performance.now()]; ; ) {
      const over = this.#stop.signal.aborted;
      const news = await this.#look();
      const isNew = (one: News) => edgesOf([one]).some((edge) => !this.killedAt.has(edge));
      const [wanted, others] = [news.filter(isNew), news.filter((one) => !isNew(one))];
      if (others.length > 0 || wanted.length > held) movedAt = performance.now();
      held = wanted.length;
      if (held > 0 && (over || performance.now() - movedAt >= patienceMs)) return true;
      if (over) return false;
      await this.#letGo(others);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<News[]> {
    const look = () =>
      this.#database.query<News>(
        `select r.id, r.entries::int, jsonb_path_query_array(jsonb_agg(l.transitions order by l.seq), '$[*][*]') as transitions
       from rollouts r left join edges.looked k on k.rollout_id = r.id
       join rollout_log l on l.rollout_id = r.id and l.seq > coalesce(k.seq, 0)
       where r.entries > coalesce(k.seq, 0) group by r.id, r.entries`,
      );
    // On another connection, should one be cut.
    return (await eventually(look, { what: 'the database to answer' })).rows;
  }

  async #letGo(news: readonly News[]): Promise<void> {
    await this.#database.query(
      `insert into edges.looked select * from unnest($1::uuid[], $2::bigint[])
       on conflict (rollout_id) do update set seq = excluded.seq`,
      [news.map(({ id }) => id), news.map(({ entries }) => entries)],
    );
  }
}

function edgesOf(news: readonly News[]): string[] {
  return news.flatMap(({ transitions }) => transitions.map(edgeOf));
}
