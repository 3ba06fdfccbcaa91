import type { Rollout, Target } from '@muster/rollout';
import type { Client } from 'pg';
import { connectDatabase } from '../bench/hub-database.ts';
import { type Hub, eventually } from '../src/index.ts';
import type { Rows } from './story-outcome.ts';

/** A place in the state machine: `is` says that the rows are there. */
export interface Place {
  name: string;
  is(rows: Rows): boolean;
}

/** The rollout of a commit, past the hub: it may just have been killed. */
export class RolloutRows {
  readonly #hub: Pick<Hub, 'dir'>;
  #client: Client | undefined;

  constructor(hub: Pick<Hub, 'dir'>) {
    this.#hub = hub;
  }

  /** Waits until the rollout of a set at a commit is as told; answers it. */
  async reach(owner: string, commit: string, place: Place): Promise<Rows> {
    return eventually(
      async (see) => {
        const rows = await this.#read(owner, commit);
        if (!rows) return undefined;
        see([
          rows.rollout.phase,
          rows.rollout.stage,
          rows.targets.map(({ cluster, state }) => [cluster, state]),
        ]);
        return place.is(rows) ? rows : undefined;
      },
      {
        what: `the rollout of ${owner} at ${commit.slice(0, 7)}: ${place.name}`,
        interval: 10,
        timeout: 90_000,
      },
    );
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }

  async #read(owner: string, commit: string): Promise<Rows | undefined> {
    this.#client ??= await this.#connect();
    const { rows } = await this.#client.query<{ state: Rollout; targets: Target[] }>(
      `select r.state, (select jsonb_agg(t.data order by t.target_id) from rollout_targets t where t.rollout_id = r.id) as targets
       from rollouts r where r.owner_name = $1 and r.state->'to'->>'label' like $2 order by r.created_at desc limit 1`,
      [owner, `%${commit.slice(0, 7)}%`],
    );
    const [row] = rows;
    return row && { rollout: row.state, targets: row.targets ?? [] };
  }

  async #connect(): Promise<Client> {
    const client = await connectDatabase(this.#hub);
    // The database may go with its hub: then it is asked again.
    client.on('error', () => (this.#client = undefined));
    return client;
  }
}
