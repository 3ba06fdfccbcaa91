import type { IgnoreRule, KubeObject } from '@muster/kube';
import type { Application, Resource } from '../apply/application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from '../apply/cluster.ts';
import { eachOf } from '../apply/concurrency.ts';
import type { Desired, DesiredState } from '../apply/desired.ts';
import { messageOf } from '../apply/resources.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { type Difference, difference } from './drift.ts';
import { liveHash } from './live-object.ts';

/** What one look at one object found. */
export type Verdict =
  | { kind: 'synced'; live: KubeObject }
  | { kind: 'differs'; live: KubeObject; difference: Difference }
  | { kind: 'missing' }
  | { kind: 'unknown'; message: string };

/**
 * Judges objects against the bundle: reads each, and lets the API server say what an apply would make of it. Two
 * requests an object, so callers ask only for those whose hash has changed.
 */
export async function judge(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  keys: Iterable<string>,
  signal: AbortSignal,
  told: (key: string, verdict: Verdict) => void,
): Promise<void> {
  const some = [...keys].flatMap((key) => desired.objects.get(key) ?? []);
  await eachOf(some, PARALLEL / 2, async (each) => {
    told(each.key, await judgeOne(cluster, app, each, signal));
  });
}

async function judgeOne(
  cluster: Cluster,
  app: Application,
  each: Desired,
  signal: AbortSignal,
): Promise<Verdict> {
  const { object, key } = each;
  const impersonate = app.assignment.impersonate || undefined;
  try {
    const type = each.type ?? (await cluster.discovery.resolve(object.apiVersion, object.kind));
    if (!type) return { kind: 'missing' };
    const live = await readLive(cluster, type, key, signal, impersonate);
    if (!live) return { kind: 'missing' };
    const { object: wanted } = await cluster.client.apply(pathOfObject(type, object), object, {
      dryRun: true,
      impersonate,
      signal,
    });
    const found = difference(wanted, live, rulesOf(app));
    return found ? { kind: 'differs', live, difference: found } : { kind: 'synced', live };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KubeError && thrown.notFound) return { kind: 'missing' };
    return { kind: 'unknown', message: safeMessage(object.kind, thrown) };
  }
}

/** The rules of the assignment, as the pure code takes them. */
export function rulesOf(app: Application): IgnoreRule[] {
  return app.assignment.ignoreDifferences;
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
      resource.sync = 'OutOfSync';
      resource.judged = liveHash(verdict.live);
      resource.drift = {
        fields,
        manager: writer?.manager ?? '',
        timeMs: BigInt(writer?.timeMs ?? 0),
        deleted: false,
        detectedAtMs: since,
        healedAtMs: 0n,
      };
      return;
    }
    case 'missing': {
      resource.sync = 'OutOfSync';
      resource.judged = '';
      resource.health = 'Missing';
      // Never applied is not drift.
      const wasThere = Boolean(app.inventory.get(resource.key)?.applied);
      resource.drift = wasThere
        ? { fields: [], manager: '', timeMs: 0n, deleted: true, detectedAtMs: since, healedAtMs: 0n }
        : undefined;
      return;
    }
    case 'unknown':
      resource.sync = 'Unknown';
      resource.judged = '';
      resource.applyError = verdict.message;
  }
}
