import { type FieldPath, type KubeObject, applyOptionsOf, fieldsThatGo, withoutPaths } from '@muster/kube';
import { Drift, type Foreign } from '@muster/proto/records';
import type { Application, Resource } from '../apply/application.ts';
import { type Cluster, PARALLEL, readLive } from '../apply/cluster.ts';
import { eachOf } from '../apply/concurrency.ts';
import type { Desired, DesiredState } from '../apply/desired.ts';
import { foreignTo, isOwn } from '../apply/foreign.ts';
import { rulesOf } from '../apply/ignored.ts';
import { isObserver } from '../apply/power.ts';
import { messageOf } from '../apply/resources.ts';
import { type WriteOptions, applyObject, replaceObject } from '../apply/write-object.ts';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { driftClass } from './drift-class.ts';
import { type Compared, type Difference, type IgnoreAround, difference, lostFields, unmet } from './drift.ts';
import { liveHash } from './live-object.ts';

/** What one look at one object found. */
export type Verdict =
  | JudgedVerdict
  | { kind: 'foreign'; foreign: Foreign }
  | { kind: 'missing' }
  | { kind: 'unknown'; message: string };

type JudgedVerdict = ({ kind: 'synced' } & Judged) | ({ kind: 'differs'; difference: Difference } & Judged);

interface Judged {
  live: KubeObject;
  /** Rules of ignoreDifferences that could not be obeyed. */
  problems: string[];
  /** Why the server's dry run was not the judge; '' when it was. */
  dryRunRefused: string;
  /** Another tool tracks it, and the next sync takes it over. */
  foreign?: Foreign | undefined;
}

/**
 * Judges objects against the bundle: reads each, and lets the API server say what an apply would make of it. Two
 * requests an object, so callers ask only for those whose hash has changed. What another tool tracks and the Application
 * does not adopt is left at that, unless `all` are to be compared.
 */
export async function judge(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  keys: Iterable<string>,
  signal: AbortSignal,
  told: (key: string, verdict: Verdict) => void,
  { all = false } = {},
): Promise<void> {
  const some = [...keys].flatMap((key) => desired.objects.get(key) ?? []);
  await eachOf(some, PARALLEL / 2, async (each) => {
    told(each.key, masked(await judgeOne(cluster, app, each, all, signal), desired.mask));
  });
}

async function judgeOne(
  cluster: Cluster,
  app: Application,
  each: Desired,
  all: boolean,
  signal: AbortSignal,
): Promise<Verdict> {
  const { object, key } = each;
  const impersonate = app.assignment.impersonate || undefined;
  try {
    const type = each.type ?? (await cluster.discovery.resolve(object.apiVersion, object.kind));
    if (!type) return { kind: 'missing' };
    const live = await readLive(cluster, type, key, signal, impersonate);
    if (!live) return { kind: 'missing' };
    const own = isOwn(cluster, app, key);
    const { foreign, trackers } = own ? { foreign: undefined, trackers: [] } : foreignTo(app, live, object);
    // Who only observes is there to compare.
    const observes = isObserver(cluster.power);
    if (foreign && !foreign.adopting && !all && !observes) return { kind: 'foreign', foreign };
    const going = own || observes ? [] : fieldsThatGo(live, object, trackers);
    const verdict = await judgeLive(cluster, app, each, type, { live, going }, signal);
    return { ...verdict, foreign };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KubeError && thrown.notFound) return { kind: 'missing' };
    return { kind: 'unknown', message: safeMessage(object.kind, thrown) };
  }
}

/** A verdict whose words hold nothing that is in the Secrets of the bundle: other objects may hold the same values. */
function masked(verdict: Verdict, mask: DesiredState['mask']): Verdict {
  if (verdict.kind === 'unknown') return { ...verdict, message: mask(verdict.message) };
  if (verdict.kind !== 'synced' && verdict.kind !== 'differs') return verdict;
  const dryRunRefused = mask(verdict.dryRunRefused);
  const problems = verdict.problems.map(mask);
  if (verdict.kind === 'synced') return { ...verdict, problems, dryRunRefused };
  const fields = verdict.difference.fields.map(({ path, expected, actual }) => ({
    path,
    expected: mask(expected),
    actual: mask(actual),
  }));
  return { ...verdict, problems, dryRunRefused, difference: { ...verdict.difference, fields } };
}

/**
 * The server's dry run is the judge, which cannot know what goes by a change of owners. Where it is refused, who owns the
 * fields is, or before the first apply the manifest; an agent that only observes tries nothing at all.
 */
async function judgeLive(
  cluster: Cluster,
  app: Application,
  each: Desired,
  type: ApiType,
  { live, going }: { live: KubeObject; going: readonly FieldPath[] },
  signal: AbortSignal,
): Promise<JudgedVerdict> {
  const { object } = each;
  const around = { jq: cluster.jq, signal };
  let compared: Compared;
  let dryRunRefused = '';
  if (isObserver(cluster.power)) compared = await untried(app, each, live, around);
  else {
    try {
      const how = applyOptionsOf(object, (option) => app.option(option));
      const wanted = await wouldBe(cluster, app, type, object, { how, dryRun: true, signal });
      const within = how.replace ? object : undefined;
      compared = await difference(withoutPaths(wanted, going), live, rulesOf(app), around, within);
    } catch (thrown) {
      if (!isDryRunRefusal(thrown)) throw thrown;
      dryRunRefused = safeMessage(object.kind, thrown);
      compared = await untried(app, each, live, around);
    }
  }
  const { difference: found, problems } = compared;
  const judged = { live, problems, dryRunRefused };
  return found ? { kind: 'differs', difference: found, ...judged } : { kind: 'synced', ...judged };
}

/** What the API server would make of a write; where it refuses the change of what is made anew, what is wanted itself. */
async function wouldBe(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  object: KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  const { how } = options;
  if (!how.replace) return applyObject(cluster, app, type, object, options);
  try {
    return await replaceObject(cluster, app, type, object, { ...options, how: { ...how, force: false } });
  } catch (thrown) {
    if (how.force && thrown instanceof KubeError && thrown.status === 422) return object;
    throw thrown;
  }
}

/** Before the first apply of this version its fields are nobody's. */
function untried(
  app: Application,
  { object, key, hash }: Desired,
  live: KubeObject,
  around: IgnoreAround,
): Promise<Compared> {
  const applied = app.inventory.get(key)?.applied === hash;
  return (applied ? lostFields : unmet)(object, live, rulesOf(app), around);
}

/**
 * Webhooks with side effects refuse dry runs; others may refuse what they would let pass at another time; and an
 * account that may not write may not try either.
 */
function isDryRunRefusal(thrown: unknown): boolean {
  if (!(thrown instanceof KubeError)) return false;
  return thrown.status === 403 || /admission webhook|calling webhook|dry.?run/i.test(thrown.message);
}

/** Notes a verdict on a resource, and in the inventory that this live state is fine. */
export function note(
  app: Application,
  resource: Resource,
  each: Desired | undefined,
  verdict: Verdict,
  nowMs: number,
): void {
  settle(app, resource, each, verdict, nowMs);
  if (verdict.kind === 'synced' || verdict.kind === 'differs') noteJudging(app, resource.key, verdict, nowMs);
  resource.message = messageOf(resource);
}

function settle(
  app: Application,
  resource: Resource,
  each: Desired | undefined,
  verdict: Verdict,
  nowMs: number,
): void {
  const earlier = resource.drift;
  // What was healed and drifts again was found now, not then.
  const since =
    earlier && earlier.healedAtMs === 0n && resource.sync === 'OutOfSync'
      ? earlier.detectedAtMs
      : BigInt(nowMs);
  if (verdict.kind === 'synced') resource.applyError = '';
  if ('foreign' in verdict) resource.foreign = verdict.foreign ?? sharedOnly(resource);
  else if (verdict.kind === 'missing') resource.foreign = undefined;
  switch (verdict.kind) {
    case 'synced': {
      resource.sync = 'Synced';
      resource.judged = liveHash(verdict.live);
      if (earlier?.healedAtMs === 0n) resource.drift = undefined;
      const entry = app.inventory.get(resource.key);
      if (entry && each && entry.applied === each.hash) entry.live = resource.judged;
      return;
    }
    case 'differs': {
      const { fields, writer } = verdict.difference;
      const applied = each !== undefined && app.inventory.get(resource.key)?.applied === each.hash;
      resource.sync = 'OutOfSync';
      resource.judged = liveHash(verdict.live);
      resource.drift = {
        fields,
        manager: writer?.manager ?? '',
        operation: writer?.operation ?? '',
        timeMs: BigInt(writer?.timeMs ?? 0),
        deleted: false,
        detectedAtMs: since,
        healedAtMs: 0n,
        driftClass: driftClass(writer, applied),
      };
      return;
    }
    case 'foreign':
      // Its health is its tool's affair: nobody here would see it change.
      Object.assign(resource, { sync: 'OutOfSync', judged: '', health: '', healthMessage: '' });
      resource.drift = undefined;
      return;
    case 'missing': {
      resource.sync = 'OutOfSync';
      resource.judged = '';
      resource.health = 'Missing';
      // Never applied is not drift.
      const wasThere = Boolean(app.inventory.get(resource.key)?.applied);
      resource.drift = wasThere
        ? { ...Drift.create(), deleted: true, detectedAtMs: since, driftClass: 'deleted' }
        : undefined;
      return;
    }
    case 'unknown':
      resource.sync = 'Unknown';
      resource.judged = '';
      resource.applyError = verdict.message;
  }
}

function sharedOnly({ foreign }: Resource): Foreign | undefined {
  return foreign?.shared ? foreign : undefined;
}

/** What people should know of how objects were judged. */
function noteJudging(
  app: Application,
  key: string,
  { problems, dryRunRefused }: Judged,
  nowMs: number,
): void {
  if (problems.length === 0 && dryRunRefused === '' && !app.judging.has(key)) return;
  app.judging.set(key, { problems, dryRunRefused });
  const rules = new Set([...app.judging.values()].flatMap((each) => each.problems));
  app.condition('IgnoreDifferences', [...rules].slice(0, 5).join('; '), nowMs);
  const refused = [...app.judging].filter(([, each]) => each.dryRunRefused !== '');
  const named = refused.slice(0, 5).map(([each]) => each);
  app.condition(
    'DryRunRefused',
    refused.length > 0
      ? `compared by the owners of fields, or field by field before the first apply, as dry runs are refused: ${named.join(', ')} (${refused[0]![1].dryRunRefused})`
      : '',
    nowMs,
  );
}
