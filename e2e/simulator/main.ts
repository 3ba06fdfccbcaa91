import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { median, quantile } from '../bench/figure.ts';
import { processMemory, startHub } from '../src/index.ts';
import { type Behaviour, CALM, behaviourOf } from './behaviour.ts';
import type { SimulateOptions } from './options.ts';
import { HUB_ENV, RolloutScenario, Stopwatch, clustersOf } from './rollout-scenario.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import { stageEnds } from './stage-ends.ts';

const STORM_EVERY_MS = 10_000;
const AWAY_MS = 5_000;
const say = (line: string) => console.log(line);

/** `npm run simulate`. Throws when the fleet does not get where it should. */
export async function simulate(options: SimulateOptions, signal: AbortSignal): Promise<void> {
  const { agents, sets, groups, seed, dir, keep } = options;
  if (groups > agents)
    throw new MusterError('invalid', 'there are more groups than agents', { where: '--groups' });
  const hubDir = join(dir, 'hub');
  const cache = join(dir, 'agents.json');
  if (!keep) await Promise.all([rm(hubDir, { recursive: true, force: true }), rm(cache, { force: true })]);
  const clusters = clustersOf(agents, groups);
  const watch = new Stopwatch();
  const sure = new Set<string>();
  const hub = await startHub({ dir: hubDir, env: HUB_ENV, signal });
  say(`hub: ${hub.url}, admin password ${join(hubDir, 'admin-password')}`);
  const fleet = await SimulatedFleet.start({
    hub,
    clusters,
    behaviour: unless(sure, behaviourOf(seed, options.odds), behaviourOf(seed, CALM)),
    seed,
    skewMs: options.skewSeconds * 1_000,
    cache,
    observe: (seen) => watch.observe(seen),
    log: say,
    signal,
  });
  const memory = async (pid: number) => `${Math.round((await processMemory(pid)).rss / 1e6)} MB`;
  say(
    `${agents} agents connected: this process ${await memory(process.pid)}, hub ${await memory(hub.process.pid)}`,
  );
  const scenario = await RolloutScenario.create(hub, fleet, { sets, groups, signal });
  const storms = setInterval(() => fleet.storm(`${Date.now()}`, options.storms, AWAY_MS), STORM_EVERY_MS);
  try {
    await scenario.apply();
    await scenario.settled(targetsOf(options));
    // What they are proven good at works wherever a rollout goes back to it.
    for (const agent of fleet.agents.values())
      for (const { assignment } of agent.held.values()) sure.add(assignment.bundleDigest);
    await scenario.apply(policyOf(options));
    for (let i = 1; i <= options.rollouts && !signal.aborted; i++) await roll(i, scenario, watch, options);
    if (watch.refused.length > 0) say(`refused by agents: ${watch.refused.slice(0, 5).join('; ')}`);
    say(`hub ${await memory(hub.process.pid)}, this process ${await memory(process.pid)}`);
  } finally {
    clearInterval(storms);
    await fleet.stop();
    await scenario.close();
    await hub.stop();
  }
}

/** A number of stages as it is meant: one of each hundred first, half of the fleet last. */
export function policyOf(options: Pick<SimulateOptions, 'slots' | 'soakSeconds' | 'deadlineSeconds'>) {
  const { slots, soakSeconds, deadlineSeconds } = options;
  return {
    defaults: {
      soak: `${soakSeconds}s`,
      deadline: `${deadlineSeconds}s`,
      onFailure: 'rollback-all',
      ...(slots === undefined ? {} : { maxConcurrent: slots }),
    },
    stages: [
      { name: 'canary', take: '1%' },
      { name: 'some', take: '5%' },
      { name: 'more', take: '15%' },
      { name: 'many', take: '40%' },
      { name: 'rest' },
    ],
  };
}

async function roll(
  round: number,
  scenario: RolloutScenario,
  watch: Stopwatch,
  { slots }: SimulateOptions,
): Promise<void> {
  const started = performance.now();
  const ended = await scenario.ended(await scenario.commit());
  const took = ((performance.now() - started) / 1_000).toFixed(1);
  const phases = [...Map.groupBy(ended, ({ phase }) => phase)].map(([phase, of]) => `${of.length} ${phase}`);
  say(`commit ${round}: ${phases.join(', ')} after ${took} s`);
  const times: number[] = [];
  for (const { id, phase, digest } of ended) {
    if (phase !== 'completed') continue;
    const targets = await scenario.targets(id);
    if (targets.every((target) => watch.times(target, digest)?.healthy !== undefined))
      times.push(...stageEnds(watch, targets, digest, slots).map(({ lastMs }) => lastMs));
  }
  if (times.length === 0) return;
  const ms = (value: number) => `${Math.round(value)} ms`;
  say(
    `  report to the last assignment of the next stage: median ${ms(median(times))}, p95 ${ms(quantile(times, 0.95))}, at most ${ms(Math.max(...times))} (${times.length} stages)`,
  );
}

/** Calm for what is known to work. */
function unless(sure: ReadonlySet<string>, wild: Behaviour, calm: Behaviour): Behaviour {
  return (trial) => (sure.size === 0 || sure.has(trial.digest) ? calm(trial) : wild(trial));
}

function targetsOf({ agents, sets, groups }: SimulateOptions): number {
  const sizes = Array.from({ length: groups }, (_, group) => Math.ceil((agents - group) / groups));
  return Array.from({ length: sets }, (_, i) => sizes[i % groups]!).reduce((sum, size) => sum + size, 0);
}
