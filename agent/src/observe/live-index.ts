import {
  APPLICATION_LABEL,
  groupKindString,
  keyOf,
  keyString,
  type Health,
  type HealthSetting,
  type KubeObject,
} from '@muster/kube';
import { HealthChecks } from '@muster/kube/checks';
import { MusterError } from '@muster/base';
import type { KubeClient } from '../kube/client.ts';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { type ReflectorSink, reflect } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import { HealthJudge } from './health-judge.ts';
import { type LiveObject, healthOf, isNewer, liveObject, matters } from './live-object.ts';
import type { WantedKeys } from './wanted-keys.ts';

/**
 * Told of every change that matters of an object that carries Muster's label; a status that says the same of its health
 * does not. `before` or `after` is undefined when it is not there.
 */
export type Observer = (key: string, before: LiveObject | undefined, after: LiveObject | undefined) => void;

interface Watched {
  type: ApiType;
  stop: AbortController;
  /** One for each namespace of a limited agent, else one. */
  pending: Set<string>;
  ready: PromiseWithResolvers<void>;
  error: Error | undefined;
}

/** Everything in the cluster that carries Muster's label, of the kinds that are asked for. */
export class LiveIndex {
  private readonly client: KubeClient;
  private readonly namespaces: readonly string[];
  private readonly log: Log;
  private readonly observer: Observer;
  private readonly wanted: WantedKeys | undefined;
  private readonly objects = new Map<string, LiveObject>();
  private readonly watched = new Map<string, Watched>();
  private readonly checks = new HealthChecks();
  private readonly judge = new HealthJudge(this.checks, (...judged) => this.judged(...judged));

  /**
   * @param namespaces what the agent is limited to; empty: the whole cluster.
   * @param wanted what Applications want of objects without Muster's label; undefined: such objects are not seen.
   */
  constructor(
    client: KubeClient,
    namespaces: readonly string[],
    log: Log,
    observer: Observer,
    wanted?: WantedKeys,
  ) {
    this.client = client;
    this.namespaces = namespaces;
    this.log = log;
    this.observer = observer;
    this.wanted = wanted;
  }

  get(key: string): LiveObject | undefined {
    return this.objects.get(key);
  }

  /** Objects of one Application (`namespace/name`). */
  *ownedBy(application: string): Generator<LiveObject> {
    for (const object of this.objects.values()) if (object.owner === application) yield object;
  }

  /** Keys and owners of all that is known. */
  all(): IterableIterator<LiveObject> {
    return this.objects.values();
  }

  /** Whether objects of a kind are judged by a check of the user. */
  hasCheck({ group, version, kind }: ApiType): boolean {
    return this.checks.has({ apiVersion: group ? `${group}/${version}` : version, kind, metadata: {} });
  }

  /** Health of any object of this cluster, by the user's check of its kind where there is one; null: none has an opinion. */
  async assess(object: KubeObject): Promise<Health | null> {
    return this.checks.has(object) ? this.checks.assess(object) : healthOf(object);
  }

  /** Whether the kind is watched and its first list is complete: only then does absence mean something. */
  isReady(type: ApiType): boolean {
    return this.watched.get(nameOf(type))?.pending.size === 0;
  }

  /** Watches a kind, if it is not watched yet, and waits for its first list. Throws what kept it from being listed. */
  async ready(type: ApiType, signal: AbortSignal, timeout = 30_000): Promise<void> {
    const name = nameOf(type);
    const watched = this.watched.get(name) ?? this.start(name, type);
    if (watched.pending.size === 0) return;
    const late = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
    const stopped = Promise.withResolvers<never>();
    const stop = () =>
      stopped.reject(
        watched.error ?? new MusterError('unavailable', `${type.kind} could not be listed in time`),
      );
    late.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([watched.ready.promise, stopped.promise]);
    } finally {
      late.removeEventListener('abort', stop);
    }
  }

  /** Stops the watches of the kinds that are not among these (as `group/Kind`). */
  keepOnly(kinds: ReadonlySet<string>): void {
    for (const [name, watched] of this.watched) {
      if (kinds.has(name)) continue;
      watched.stop.abort();
      this.watched.delete(name);
      for (const key of this.objects.keys()) if (kindOf(key) === name) this.objects.delete(key);
    }
  }

  /** Takes in an object that an apply answered, so that nothing waits for its watch event. */
  put(object: KubeObject): LiveObject {
    const read = liveObject(object);
    const before = this.objects.get(read.key);
    if (before && before.uid === read.uid && !isNewer(read.resourceVersion, before.resourceVersion))
      return before;
    const after =
      !read.deleting && this.judge.takes(read.key, object)
        ? { ...read, ...healthMeanwhile(before, read) }
        : read;
    this.objects.set(after.key, after);
    if (!before || matters(before, after)) this.observer(after.key, before, after);
    return after;
  }

  /** Takes users' health checks by `group/Kind`; objects of kinds whose check changed are read and judged again. */
  useChecks(settings: ReadonlyMap<string, HealthSetting>): void {
    for (const changed of this.checks.use(settings)) {
      // A copy: what is started again is added to the map.
      for (const [name, watched] of [...this.watched]) {
        if (groupKindString(splitName(name)) === changed) this.listAgain(name, watched.type);
      }
    }
  }

  /** Notes what an Application wants; where objects without Muster's label are seen, those that are new are looked up. */
  want(application: string, keys: Iterable<string>): void {
    const added = this.wanted?.want(application, keys) ?? [];
    for (const name of new Set(added.map(kindOf))) {
      const watched = this.watched.get(name);
      if (watched) this.listAgain(name, watched.type);
    }
  }

  /** Applications that want an object whoever made it; none where only Muster's own are seen. */
  wantedBy(key: string): Iterable<string> {
    return this.wanted?.by(key) ?? [];
  }

  /** Begins the watch of a kind anew; the list that comes brings all of its objects. */
  private listAgain(name: string, type: ApiType): void {
    this.watched.get(name)?.stop.abort();
    this.watched.delete(name);
    for (const [key, object] of this.objects)
      if (kindOf(key) === name) this.objects.set(key, { ...object, resourceVersion: '' });
    this.start(name, type);
  }

  private judged(key: string, resourceVersion: string, health: Health | null): void {
    const before = this.objects.get(key);
    if (!before || before.resourceVersion !== resourceVersion) return;
    const after = { ...before, health: health?.status ?? '', healthMessage: health?.message ?? '' };
    if (after.health === before.health && after.healthMessage === before.healthMessage) return;
    this.objects.set(key, after);
    this.observer(key, before, after);
  }

  /** Ends all watches. */
  close(): void {
    void this.checks.close();
    for (const watched of this.watched.values()) watched.stop.abort();
    this.watched.clear();
  }

  private start(name: string, type: ApiType): Watched {
    const scopes = type.namespaced && this.namespaces.length > 0 ? this.namespaces : [''];
    const watched: Watched = {
      type,
      stop: new AbortController(),
      pending: new Set(scopes),
      ready: Promise.withResolvers(),
      error: undefined,
    };
    watched.ready.promise.catch(() => undefined);
    this.watched.set(name, watched);
    for (const scope of scopes) {
      void reflect({
        client: this.client,
        path: pathOf(type, scope || undefined),
        labelSelector: this.wanted ? undefined : APPLICATION_LABEL,
        sink: this.sink(name, scope, watched),
        signal: watched.stop.signal,
      });
    }
    return watched;
  }

  private sink(name: string, scope: string, watched: Watched): ReflectorSink {
    const live = () => !watched.stop.signal.aborted;
    return {
      changed: (object) => {
        if (live() && this.concerns(object)) this.put(object);
      },
      removed: (object) => {
        if (live()) this.drop(liveObject(object));
      },
      synced: (uids, version) => {
        if (!live()) return;
        this.dropUnlisted(name, scope, uids, version);
        watched.error = undefined;
        watched.pending.delete(scope);
        if (watched.pending.size === 0) watched.ready.resolve();
      },
      failed: (error) => {
        watched.error = error;
        // Waiting helps no one who may not list, or asks for what is not served.
        if (
          watched.pending.size > 0 &&
          error instanceof KubeError &&
          (error.status === 403 || error.notFound)
        ) {
          watched.ready.reject(error);
          watched.ready = Promise.withResolvers();
          watched.ready.promise.catch(() => undefined);
        }
        this.log.warn({ kind: name, error: error.message }, 'a watch failed');
      },
    };
  }

  private concerns(object: KubeObject): boolean {
    if (!this.wanted) return true;
    const labelled = object.metadata.labels?.[APPLICATION_LABEL] !== undefined;
    const key = keyString(keyOf(object));
    return labelled || this.objects.has(key) || this.wanted.has(key);
  }

  private drop(gone: LiveObject): void {
    const before = this.objects.get(gone.key);
    // Another object of that name may have come meanwhile.
    if (!before || before.uid !== gone.uid) return;
    this.objects.delete(gone.key);
    this.observer(gone.key, before, undefined);
  }

  private dropUnlisted(name: string, scope: string, uids: ReadonlySet<string>, version: string): void {
    for (const object of this.objects.values()) {
      if (kindOf(object.key) !== name || uids.has(object.uid)) continue;
      if (scope && object.key.split('/')[2] !== scope) continue;
      // What an apply put in after the list was made is not missing.
      if (!isNewer(object.resourceVersion, version)) this.drop(object);
    }
  }
}

/** Until the check has run: what it said of the object before, or Progressing. */
function healthMeanwhile(before: LiveObject | undefined, read: LiveObject) {
  if (before && before.uid === read.uid && before.health !== '')
    return { health: before.health, healthMessage: before.healthMessage };
  return { health: 'Progressing', healthMessage: 'its health check has not run yet' };
}

function splitName(name: string): { group: string; kind: string } {
  const [group = '', kind = ''] = name.split('/', 2);
  return { group, kind };
}

/** `group/Kind`. */
export function nameOf(type: { group: string; kind: string }): string {
  return `${type.group}/${type.kind}`;
}

/** `group/Kind` of a key `group/Kind/namespace/name`. */
export function kindOf(key: string): string {
  const end = key.indexOf('/', key.indexOf('/') + 1);
  return end < 0 ? key : key.slice(0, end);
}
