import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { behaviourOf } from '../simulator/behaviour.ts';
import { HUB_ENV, RolloutScenario, Stopwatch, clustersOf } from '../simulator/rollout-scenario.ts';
import type { Seen } from '../simulator/simulated-agent.ts';
import { SimulatedFleet } from '../simulator/simulated-fleet.ts';
import { type StageEnd, stageEnds } from '../simulator/stage-ends.ts';
import { type Hub, processMemory, startHub } from '../src/index.ts';
import { buildHubAndAgent } from './bundles.ts';
import { type Bench, type BenchContext, type Figure, atMost, median, plain, quantile } from './figure.ts';
import { processorSeconds } from './processor.ts';

const AGENTS = 1_000;
const SLOTS = 50;
const ALONE = { sets: 1, groups: 1 };
/** 100 sets over 50 clusters each: a cluster has five Applications. */
const TOGETHER = { sets: 100, groups: 20 };
const ROLLOUTS = 5;
const ROUND_TRIPS = 200;
/**
 * Agents are as far away as the next continent, and on machines of their own: what a thousand of them do with their
 * assignments begins here when the last of a stage have left the hub, with which they share two cores.
 */
const DISTANCE_MS = 150;

/** How soon a stage follows the one before, over simulated agents, and many rollouts at once. */
export const rollouts: Bench = {
  name: 'rollouts',
  about:
    '1,000 simulated agents, five stages: from the report that completes one to the next; 100 rollouts at once',
  run: async (context) => {
    await buildHubAndAgent(context.signal);
    const alone = await one(context);
    return [...alone, ...(await many(context))];
  },
};

/** One rollout after the other. */
async function one(context: BenchContext): Promise<Figure[]> {
  return onFleet(context, 'alone', ALONE, async ({ fleet, scenario, watch }) => {
    const peer = await roundTrips(fleet, watch);
    const figures: Figure[] = [];
    for (const [name, slots] of [
      [`slots of ${SLOTS}`, SLOTS],
      ['whole stages', undefined],
    ] as const) {
      await scenario.apply(policy(slots));
      await scenario.settled(AGENTS);
      const ends: StageEnd[] = [];
      for (let i = 0; i < ROLLOUTS; i++) ends.push(...(await measured(scenario, watch, slots)));
      context.log(
        `${name}: ${ends.map((end) => `${end.assignments} in ${Math.round(end.lastMs)}`).join(', ')} ms`,
      );
      figures.push(...figuresOf(`rollouts: next stage, ${name}`, ends, peer));
    }
    return [plain('rollouts: a report to its acknowledgement, median', peer, 'ms'), ...figures];
  });
}

/** A commit that begins a rollout of each of 100 sets. */
async function many(context: BenchContext): Promise<Figure[]> {
  return onFleet(context, 'together', TOGETHER, async ({ hub, scenario, watch }) => {
    const targets = (TOGETHER.sets * AGENTS) / TOGETHER.groups;
    await scenario.apply(policy(undefined));
    await scenario.settled(targets);
    const before = { at: performance.now(), cpu: await processorSeconds(hub.process.pid) };
    const ends = await measured(scenario, watch, undefined);
    const seconds = (performance.now() - before.at) / 1_000;
    const cpu = (await processorSeconds(hub.process.pid)) - before.cpu;
    const lasts = ends.map(({ lastMs }) => lastMs);
    return [
      plain(`rollouts: ${TOGETHER.sets} at once, all complete`, seconds, 's'),
      plain('rollouts: targets moved in a second', targets / seconds, '1/s'),
      plain('rollouts: next stage, 100 at once, median', median(lasts), 'ms'),
      plain('rollouts: next stage, 100 at once, p95', quantile(lasts, 0.95), 'ms'),
      plain('rollouts: processor of the hub meanwhile', (cpu / seconds) * 100, '%'),
      plain('rollouts: memory of the hub after that', (await processMemory(hub.process.pid)).rss / 1e6, 'MB'),
    ];
  });
}

interface Stage {
  hub: Hub;
  fleet: SimulatedFleet;
  scenario: RolloutScenario;
  watch: Stopwatch;
}

/** A hub of its own with a connected fleet, all of it healthy at a first commit. */
async function onFleet(
  { dir, log, signal }: BenchContext,
  name: string,
  shape: { sets: number; groups: number },
  measure: (stage: Stage) => Promise<Figure[]>,
): Promise<Figure[]> {
  log(`starting a hub and ${AGENTS} agents`);
  const hub = await startHub({ dir: join(dir, name), env: HUB_ENV, signal });
  const watch = new Stopwatch();
  const clusters = clustersOf(AGENTS, shape.groups);
  const observe = (seen: Seen) => watch.observe(seen);
  const start = {
    hub,
    clusters,
    behaviour: behaviourOf(1),
    seed: 1,
    distanceMs: DISTANCE_MS,
    observe,
    log,
    signal,
  };
  let fleet: SimulatedFleet | undefined;
  let scenario: RolloutScenario | undefined;
  try {
    fleet = await SimulatedFleet.start(start);
    const { rss } = await processMemory(process.pid);
    log(`all agents are connected; this process has ${Math.round(rss / 1e6)} MB`);
    scenario = await RolloutScenario.create(hub, fleet, { ...shape, signal });
    await scenario.apply();
    await scenario.settled((shape.sets * AGENTS) / shape.groups);
    const figures = await measure({ hub, fleet, scenario, watch });
    if (watch.refused.length > 0) throw new Error(`agents refused: ${watch.refused.slice(0, 3).join('; ')}`);
    return figures;
  } finally {
    await fleet?.stop();
    await scenario?.close();
    await hub.stop();
  }
}

/** Commits, waits until every rollout is complete, and answers what came between their stages. */
async function measured(
  scenario: RolloutScenario,
  watch: Stopwatch,
  slots: number | undefined,
): Promise<StageEnd[]> {
  const ended = await scenario.ended(await scenario.commit());
  const ends: StageEnd[] = [];
  for (const { id, phase, digest } of ended) {
    if (phase !== 'completed') throw new Error(`the rollout ${id} is ${phase}`);
    ends.push(...stageEnds(watch, await scenario.targets(id), digest, slots));
  }
  return ends;
}

function policy(slots: number | undefined) {
  return {
    defaults: {
      soak: '0s',
      deadline: '5m',
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

function figuresOf(name: string, ends: readonly StageEnd[], peer: number): Figure[] {
  const first = ends.map(({ firstMs }) => firstMs);
  const last = ends.map(({ lastMs }) => lastMs);
  const beside = (figure: Figure): Figure => ({
    ...figure,
    against: `a report's ack ${Number(peer.toPrecision(3))} ms`,
    ratio: Number((figure.value / peer).toPrecision(3)),
  });
  return [
    beside(plain(`${name}: first assignment, median`, median(first), 'ms')),
    beside(plain(`${name}: last assignment, median`, median(last), 'ms')),
    beside(atMost(`${name}: last assignment, p95`, quantile(last, 0.95), 'ms', 250)),
    beside(plain(`${name}: last assignment, most`, Math.max(...last), 'ms')),
  ];
}

/** Median ms from a report of one agent that says nothing new to its acknowledgement, one after the other. */
async function roundTrips(fleet: SimulatedFleet, watch: Stopwatch): Promise<number> {
  const agents = [...fleet.agents.values()];
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const agent = agents[(i * 7) % agents.length]!;
    const started = performance.now();
    const acknowledged = watch.nextAcknowledgement(agent.name);
    agent.repeat();
    times.push((await acknowledged) - started);
    await sleep(10);
  }
  return median(times);
}
