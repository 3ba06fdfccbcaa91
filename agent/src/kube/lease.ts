import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import type { KubeObject } from './objects.ts';

export interface LeaseOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Who holds it: this process, by its instance id. */
  identity: string;
  /** Seconds without renewal after which another may take it; default 15. */
  durationSeconds?: number;
  signal: AbortSignal;
  /**
   * Called when this process begins or stops to hold it, with who holds it otherwise. `anew`: it was not this
   * process's before, so others may have acted since.
   */
  changed(held: boolean, holder: string, anew: boolean): void;
  /** Called when the API server cannot be asked. */
  failed(error: Error): void;
}

interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/**
 * Keeps a Lease of coordination.k8s.io for this process until the signal ends it, then gives it back. Another
 * holder's time is judged by when its renewal was last seen to change, so clocks need not agree.
 */
export async function holdLease(options: LeaseOptions): Promise<void> {
  const { signal, durationSeconds = 15 } = options;
  const state: LeaseState = { held: false, renewedAt: 0, seen: '', seenAt: 0 };
  while (!signal.aborted) {
    try {
      await tryOnce(options, state);
    } catch (thrown) {
      if (signal.aborted) break;
      if (!(thrown instanceof KubeError) || thrown.status !== 409) options.failed(thrown as Error);
      // Not renewed for two thirds of its life: another may soon take it, so stop acting before.
      if (state.held && performance.now() - state.renewedAt > durationSeconds * 667) lose(options, state, '');
    }
    const pause = state.held ? durationSeconds * 250 : durationSeconds * 70;
    await sleep(pause * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => undefined);
  }
  if (state.held) await giveBack(options).catch(() => undefined);
}

interface LeaseState {
  held: boolean;
  /** When this process last renewed, by the monotonic clock. */
  renewedAt: number;
  /** The other holder's renewal that was last seen, and when. */
  seen: string;
  seenAt: number;
}

async function tryOnce(options: LeaseOptions, state: LeaseState): Promise<void> {
  const { client, namespace, name, identity, durationSeconds = 15, signal } = options;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const call = { signal, timeout: Math.min(5_000, durationSeconds * 300), tries: 1 };
  const before = performance.now();
  const now = new Date().toISOString().replace('Z', '000Z');
  const lease = await client.find<LeaseObject>(`${collection}/${name}`, call);
  const spec = { holderIdentity: identity, leaseDurationSeconds: durationSeconds, renewTime: now };
  if (!lease) {
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: { ...spec, acquireTime: now, leaseTransitions: 0 },
    };
    await client.call(collection, { ...call, method: 'POST', body });
    return win(options, state, before, true);
  }
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder && holder !== identity) {
    if (state.held) lose(options, state, holder);
    const mark = `${holder} ${lease.spec?.renewTime}`;
    if (mark !== state.seen) {
      state.seen = mark;
      state.seenAt = before;
      options.changed(false, holder, false);
    }
    const life = (lease.spec?.leaseDurationSeconds ?? durationSeconds) * 1_000;
    if (before - state.seenAt < life) return;
  }
  const mine = holder === identity;
  const transitions = (lease.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1);
  const acquireTime = mine ? lease.spec?.acquireTime : now;
  const body = { ...lease, spec: { ...lease.spec, ...spec, acquireTime, leaseTransitions: transitions } };
  await client.call(`${collection}/${name}`, { ...call, method: 'PUT', body });
  win(options, state, before, !mine);
}

function win(options: LeaseOptions, state: LeaseState, at: number, anew: boolean): void {
  state.renewedAt = at;
  if (state.held) return;
  state.held = true;
  options.changed(true, options.identity, anew);
}

function lose(options: LeaseOptions, state: LeaseState, holder: string): void {
  state.held = false;
  state.seen = '';
  options.changed(false, holder, false);
}

async function giveBack({ client, namespace, name, identity }: LeaseOptions): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  const lease = await client.find<LeaseObject>(path, { timeout: 2_000, tries: 1 });
  if (lease?.spec?.holderIdentity !== identity) return;
  const body = { ...lease, spec: { ...lease.spec, holderIdentity: '' } };
  await client.call(path, { method: 'PUT', body, timeout: 2_000, tries: 1 });
}
