import type { RolloutVerb } from '@muster/api';
import type { Rollout, Target } from '@muster/rollout';
import { eventually } from '../src/index.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import { NEVER_MS, REACHED_WITHIN_MS, type StoryFleet, type Trouble } from './story-fleet.ts';
import { type Rows, gateOf, outcomeOf, summaryOf } from './story-outcome.ts';

type WithoutReason<Verb> = Verb extends unknown ? Omit<Verb, 'reason'> : never;
type Asked = WithoutReason<RolloutVerb>;
type State = Target['state'];

/**
 * One story while it is played: what happens in its clusters, and what people do. Clusters go by their names within the
 * story, and rollouts are the newest one unless told. People try again until what they asked for has happened: the hub may be
 * killed before it hears them, or before it answers.
 */
export class StoryRun {
  readonly #on: StoryFleet;
  readonly name: string;
  /** Rollouts that came of it, oldest first. */
  readonly rollouts: string[] = [];

  constructor(on: StoryFleet, name: string) {
    this.#on = on;
    this.name = name;
  }

  /** What became of each rollout. */
  outcomes() {
    return Promise.all(
      this.rollouts.map(async (id) => outcomeOf(await this.#on.rows(id), await this.#on.transitions(id))),
    );
  }

  /** A commit; answers the rollout that came of it. */
  async commit(): Promise<string> {
    const before = new Set(await this.#on.rollouts(this.name));
    await this.#on.commit(this.name);
    const id = await eventually(
      async () => (await this.#on.rollouts(this.name)).find((one) => !before.has(one)),
      { what: `a rollout of ${this.name}`, timeout: REACHED_WITHIN_MS },
    );
    this.rollouts.push(id);
    return id;
  }

  /** Waits until the rows of a rollout are so. */
  async until(what: string, is: (rows: Rows) => boolean, id = this.rollouts.at(-1)!): Promise<void> {
    await eventually(
      async (see) => {
        const rows = await this.#on.rows(id);
        see(summaryOf(rows));
        return is(rows);
      },
      { what: `${this.name}: ${what}`, interval: 20, timeout: REACHED_WITHIN_MS },
    );
  }

  /** Until targets are in these states. */
  come(states: Record<string, State>, id?: string): Promise<void> {
    const wanted = Object.entries(states);
    const is = (rows: Rows) => wanted.every(([cluster, state]) => this.state(rows, cluster) === state);
    return this.until(JSON.stringify(states), is, id);
  }

  state(rows: Rows, cluster: string): State | undefined {
    return this.#target(rows, cluster)?.state;
  }

  phase(phase: Rollout['phase'], id?: string): Promise<void> {
    return this.until(`it is ${phase}`, ({ rollout }) => rollout.phase === phase, id);
  }

  /** Until an approval is asked for. */
  asked(gate: string, id?: string): Promise<void> {
    return this.until(`"${gate}" is open`, (rows) => gateOf(rows, gate) === 'open', id);
  }

  ask(verb: Asked, until: (rows: Rows) => boolean, id = this.rollouts.at(-1)!): Promise<void> {
    const { rollouts } = this.#on.fleet.client;
    const ask = () => rollouts.ask(id, { reason: 'told so', ...verb } as RolloutVerb);
    return this.#do(verb.verb, ask, async () => until(await this.#on.rows(id)));
  }

  async approve(gate: string, id?: string): Promise<void> {
    await this.asked(gate, id);
    await this.ask({ verb: 'approve', gate }, (rows) => gateOf(rows, gate) === 'passed', id);
  }

  async reject(gate: string, until: (rows: Rows) => boolean): Promise<void> {
    await this.asked(gate);
    await this.ask({ verb: 'reject', gate }, until);
  }

  skip(cluster: string): Promise<void> {
    const verb: Asked = { verb: 'skip', target: this.#targetId(cluster) };
    return this.ask(verb, (rows) => this.state(rows, cluster) === 'skipped');
  }

  skipGate(stage: string, gate: string): Promise<void> {
    return this.ask({ verb: 'skip', stage, gate }, (rows) => gateOf(rows, gate) === 'skipped');
  }

  retry(cluster: string, until: (rows: Rows) => boolean = () => true): Promise<void> {
    const verb: Asked = { verb: 'retry', targets: [this.#targetId(cluster)] };
    return this.ask(verb, (rows) => this.state(rows, cluster) !== 'failed' && until(rows));
  }

  startByHand(cluster: string): Promise<void> {
    const verb: Asked = { verb: 'start', targets: [this.#targetId(cluster)] };
    return this.ask(verb, (rows) => this.state(rows, cluster) !== 'manual');
  }

  pin(cluster: string): Promise<void> {
    const { applications } = this.#on.fleet.client;
    const pin = () => applications.pin('argocd', this.#full(cluster), { reason: 'kept' });
    return this.#do(`pin ${cluster}`, pin, async () => (await this.#now(cluster)) === 'pinned');
  }

  unpin(cluster: string): Promise<void> {
    const { applications } = this.#on.fleet.client;
    const unpin = () => applications.unpin('argocd', this.#full(cluster), { reason: 'done' });
    return this.#do(`unpin ${cluster}`, unpin, async () => (await this.#now(cluster)) !== 'pinned');
  }

  /** The cluster does not belong to the set any more. */
  async leaves(cluster: string): Promise<void> {
    await this.#label(cluster, { is: cluster });
    // It is all that the cluster has, so somebody has to say that it may go.
    const { applicationSets } = this.#on.fleet.client;
    const approve = () => applicationSets.approveDeletions('argocd', this.name);
    await this.#do(`${cluster} leaves`, approve, async () => (await this.#now(cluster)) === 'gone');
  }

  /** It belongs to it again. */
  async joins(cluster: string): Promise<void> {
    await this.#label(cluster, { is: cluster, story: this.name });
    await this.until(`${cluster} joins`, (rows) => this.state(rows, cluster) !== 'gone');
  }

  trouble(cluster: string, which: 'new' | 'back', trouble: Trouble): void {
    this.#on.trouble(this.#full(cluster), which, trouble);
  }

  /** All is well there, also with what it holds now, and the hub knows it. */
  async cure(...clusters: string[]): Promise<void> {
    for (const cluster of clusters) {
      const name = this.#full(cluster);
      for (const which of ['new', 'back'] as const) this.#on.trouble(name, which, null);
      this.#agent(cluster).again(`argocd/${name}`);
      await eventually(() => this.#on.isHealthy(name), {
        what: `${name} to be healthy`,
        timeout: REACHED_WITHIN_MS,
      });
    }
  }

  say(cluster: string, health: string): void {
    this.#agent(cluster).cluster.become(`argocd/${this.#full(cluster)}`, health);
  }

  /** Its agent goes away, and the hub has noticed: one that is killed as it happens has not, so it goes once more. */
  async goesAway(cluster: string): Promise<void> {
    const agent = this.#agent(cluster);
    const options = { what: `${this.name}: ${cluster} goes away`, timeout: REACHED_WITHIN_MS };
    for (let noticed = false; !noticed; ) {
      await eventually(() => agent.connected, options);
      const before = this.#on.restarts;
      agent.cut(NEVER_MS);
      await eventually(
        async () => (noticed = await this.#on.hasLeft(this.#full(cluster))) || this.#on.restarts > before,
        options,
      );
      if (!noticed) agent.hurry();
    }
  }

  /** Until a rollout knows that its agent is away. */
  isMissed(cluster: string): Promise<void> {
    return this.until(`${cluster} is missed`, (rows) => this.#target(rows, cluster)?.connected === false);
  }

  comesBack(cluster: string): void {
    this.#agent(cluster).hurry();
  }

  async #label(cluster: string, labels: Record<string, string>): Promise<void> {
    const name = this.#full(cluster);
    const { clusters } = this.#on.fleet.client;
    const isSo = async () => (await clusters.get(name)).labels['story'] === labels['story'];
    await this.#do(`label ${cluster}`, () => clusters.change(name, { labels }), isSo);
  }

  #full(cluster: string): string {
    return `${this.name}-${cluster}`;
  }

  #agent(cluster: string): SimulatedAgent {
    return this.#on.fleet.agent(this.#full(cluster));
  }

  #targetId(cluster: string): string {
    return `argocd/${this.#full(cluster)}@${this.#full(cluster)}`;
  }

  #target({ targets }: Rows, cluster: string): Target | undefined {
    return targets.find((target) => target.cluster === this.#full(cluster));
  }

  async #now(cluster: string): Promise<State | undefined> {
    return this.state(await this.#on.rows(this.rollouts.at(-1)!), cluster);
  }

  async #do(what: string, act: () => Promise<unknown>, done: () => Promise<boolean>): Promise<void> {
    let refused: string | undefined;
    await eventually(
      async (see) => {
        if (await done().catch(() => false)) return true;
        await act().catch((error: Error) => (refused = error.message));
        const newest = this.rollouts.at(-1);
        see([refused, newest && summaryOf(await this.#on.rows(newest))]);
        return false;
      },
      { what: `${this.name}: ${what}`, interval: 100, timeout: REACHED_WITHIN_MS },
    );
  }
}
