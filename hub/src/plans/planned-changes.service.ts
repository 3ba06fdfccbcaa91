import type { Application, ApplicationSource } from '@muster/appset';
import type { PlannedApplication } from '@muster/api';
import { canonicalJson } from '@muster/base';
import { type KubeObject, type ObjectChange, objectChange, objectChanges } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { addressOfSource, revisionOf, sourcesOf } from '../applications/application-sources.ts';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import type { Rendering } from '../rendering/renderings.service.ts';
import { lookingSecret } from '../rendering/secrets.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import type { SupposedApplication } from '../rollouts/dependencies/dependency-cycles.service.ts';
import { LookUps } from '../sources/look-ups.service.ts';
import type { StoredCondition } from '../status/bounds.ts';
import { StatusService, targetKey } from '../status/status.service.ts';
import type { PlanReport } from './plan-report.ts';
import { PlannedRenders, type Subject } from './planned-renders.service.ts';
import type { Supposition } from './supposition.ts';
import { type Borrowed, Suppositions } from './suppositions.service.ts';

/** An Application that a plan looks at. */
export interface Candidate {
  /** As it would be stored. */
  manifest: Application;
  /** As it is; undefined: it would be new. */
  before: ApplicationRecord | undefined;
  /** `namespace/name` of its set. */
  set: string | undefined;
}

/** What a plan carries along. */
export interface PlanRun {
  actor: Actor;
  supposition: Supposition;
  report: PlanReport;
  borrowed: Borrowed;
  signal: AbortSignal;
  /** All that would be written so far: what waits for itself is seen in all of it only. */
  written: SupposedApplication[];
}

/** An Application that would change and is on a cluster already. */
interface Changed {
  application: PlannedApplication;
  clusterId: string;
}

const ERRORS = new Set(['RenderError', 'InvalidSpec', 'ProjectDenied', 'SourceError']);
const MAX_CACHED_BYTES = 32 * 1024 * 1024;

/** Renders Applications as they would be and says what is different from what they hold. */
@Injectable()
export class PlannedChanges {
  constructor(
    @Inject(PlannedRenders) private readonly renders: PlannedRenders,
    @Inject(Suppositions) private readonly suppositions: Suppositions,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(LookUps) private readonly lookUps: LookUps,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(StatusService) private readonly statuses: StatusService,
  ) {}

  /** Those of Applications that the actor may not see are passed over in silence, as everywhere. */
  async compare(candidates: readonly Candidate[], run: PlanRun): Promise<void> {
    run.written.push(...candidates.map(({ manifest, set }) => ({ manifest, set: set ?? null })));
    const mine = candidates.filter((one) => this.#maySee(one, run.actor));
    const readable = mine.filter((one) => this.#mayRender(one, run));
    if (readable.length === 0) return;
    await this.#prepareSources(readable, run);
    const byId = new Map(readable.map((one) => [keyOf(one.manifest), one]));
    const subjects = [...byId].map(([id, { manifest }]): Subject => ({ id, manifest }));
    const rendering = await this.renders.supposed(subjects, run.supposition, run.signal);
    const reseeded = await this.#reseeded(byId, rendering, run);
    const diffs = new DigestDiffs(this.bundles);
    const changed: Changed[] = [];
    for (const [id, candidate] of byId) {
      run.signal.throwIfAborted();
      this.#conditions(id, candidate, rendering, run);
      const { before } = candidate;
      const cluster = rendering.clusters.get(id);
      const digest = rendering.holdings.get(id)?.bundleDigest;
      const from = reseeded.get(id) ?? before?.row.bundle_digest ?? undefined;
      // What cannot be rendered keeps what it has; its errors say so.
      const objects = digest === undefined ? [] : await diffs.between(from, digest);
      const specification = specificationChange(before?.manifest, candidate.manifest);
      if (!specification && objects.length === 0) run.report.counts.unchanged++;
      else {
        const application = plannedApplication(candidate, cluster);
        if (before && cluster) changed.push({ application, clusterId: cluster.id });
        run.report.change({
          application,
          change: before ? 'changed' : 'added',
          specification,
          objects,
          names: namesOf(candidate, cluster),
        });
      }
    }
    await this.#foreign(changed, run.report);
    run.report.counts.renders += rendering.made;
  }

  /** A change does not reach what another tool tracks, nor anything beside it. */
  async #foreign(changed: readonly Changed[], report: PlanReport): Promise<void> {
    const keyed = changed.map((one) => ({
      ...one,
      key: { clusterId: one.clusterId, namespace: one.application.namespace, name: one.application.name },
    }));
    const statuses = await this.statuses.forApplications(keyed.map(({ key }) => key));
    for (const { application, key } of keyed) {
      const conditions = (statuses.get(targetKey(key))?.conditions ?? []) as unknown as StoredCondition[];
      const { message } = conditions.find(({ type }) => type === 'ForeignResource') ?? {};
      if (message === undefined) continue;
      const object = `application/${key.namespace}/${key.name}`;
      const problem = { object, application, type: 'ForeignResource', message } as const;
      report.problem({ ...problem, severity: 'warning', already: true });
    }
  }

  #maySee({ manifest, before }: Candidate, actor: Actor): boolean {
    return [manifest.spec.project || 'default', before?.row.project].every(
      (project) => project === undefined || this.access.allows(actor, 'viewer', project),
    );
  }

  /**
   * Reading what nobody of its project reads now takes the role that applying it would: a viewer learns nothing by a
   * plan but what may be looked up already.
   */
  #mayRender(candidate: Candidate, { actor, report }: PlanRun): boolean {
    const { manifest, before } = candidate;
    const project = manifest.spec.project || 'default';
    if (this.access.allows(actor, 'operator', project)) return true;
    if (before && before.row.project === project && reading(before.manifest) === reading(manifest))
      return true;
    report.problem({
      object: `application/${keyOf(manifest)}`,
      application: plannedApplication(candidate, undefined),
      type: 'NotRendered',
      message: `would read a source that it does not read now: this needs the role operator for project ${project}`,
      severity: 'warning',
      already: false,
    });
    return false;
  }

  async #prepareSources(candidates: readonly Candidate[], run: PlanRun): Promise<void> {
    const sources = candidates.flatMap(({ manifest }) => sourcesOf(manifest));
    const { ids, giveBack } = await this.lookUps.borrow(sources.map(addressOfSource));
    run.borrowed.push(giveBack);
    const followed = sources.flatMap((source) => {
      const id = ids.get(addressOfSource(source));
      return id ? [{ id, revision: revisionOf(source) }] : [];
    });
    await this.suppositions.lookUp(followed, run.supposition.revisions, run.signal);
  }

  /** The bundles of today with the seed of plans, for those whose new bundle was made with it. */
  async #reseeded(
    candidates: ReadonlyMap<string, Candidate>,
    rendering: Rendering,
    { report, signal }: PlanRun,
  ): Promise<Map<string, string>> {
    const subjects = [...candidates].flatMap(([id, { before }]): Subject[] =>
      before && rendering.seeded.has(id) ? [{ id, manifest: before.manifest }] : [],
    );
    if (subjects.length === 0) return new Map();
    const now = await this.renders.asIs(subjects, signal);
    report.counts.renders += now.made;
    return new Map([...now.holdings].map(([id, holding]) => [id, holding.bundleDigest]));
  }

  #conditions(id: string, candidate: Candidate, rendering: Rendering, { report }: PlanRun): void {
    for (const { type, message } of rendering.conditions.get(id) ?? []) {
      const already =
        candidate.before?.row.conditions.some((one) => one.type === type && one.message === message) ?? false;
      const severity = ERRORS.has(type) ? 'error' : 'warning';
      if (already && severity === 'warning') continue;
      const application = plannedApplication(candidate, rendering.clusters.get(id));
      report.problem({ object: `application/${id}`, application, type, message, severity, already });
    }
  }
}

/** Differences between bundles: a thousand Applications of one bundle are compared once. */
class DigestDiffs {
  readonly #bundles: BundlesService;
  readonly #known = new LRUCache<string, { changes: ObjectChange[] }>({
    maxSize: MAX_CACHED_BYTES,
    sizeCalculation: ({ changes }) => 1 + changes.reduce((sum, one) => sum + one.text.length, 0),
  });

  constructor(bundles: BundlesService) {
    this.#bundles = bundles;
  }

  async between(before: string | undefined, after: string): Promise<ObjectChange[]> {
    if (before === after) return [];
    const key = `${before ?? ''} ${after}`;
    const known = this.#known.get(key);
    if (known) return known.changes;
    const [old, now] = await Promise.all([
      before === undefined ? [] : this.#bundles.objects(before),
      this.#bundles.objects(after),
    ]);
    const changes = objectChanges(old, now);
    this.#known.set(key, { changes });
    return changes;
  }
}

export function plannedApplication(
  { manifest, set }: Candidate,
  cluster: ClusterFacts | undefined,
): PlannedApplication {
  return {
    namespace: manifest.metadata.namespace!,
    name: manifest.metadata.name,
    project: manifest.spec.project || 'default',
    ...(set ? { set } : {}),
    ...(cluster ? { cluster: cluster.name } : {}),
  };
}

export function keyOf({ metadata }: Application): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function specificationChange(before: Application | undefined, after: Application): ObjectChange | undefined {
  const secrets = new Set([...lookingSecret(before?.spec), ...lookingSecret(after.spec)]);
  const typed = (manifest: Application | undefined) =>
    manifest &&
    ({ ...manifest, apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' } as unknown as KubeObject);
  return objectChange(typed(before), typed(after), secrets);
}

function namesOf({ manifest }: Candidate, cluster: ClusterFacts | undefined): string[] {
  const { name, server } = manifest.spec.destination ?? {};
  const names = [cluster?.name ?? name, manifest.metadata.name, cluster?.server ?? server];
  return names.filter((one) => one !== undefined);
}

/** Everything of an Application that decides which files are read, but the revision. */
function reading(manifest: Application): string {
  const read = ({ helm, targetRevision: _revision, ...rest }: ApplicationSource) => {
    const { valueFiles, fileParameters } = helm ?? {};
    return { ...rest, helm: { valueFiles, fileParameters } };
  };
  return canonicalJson(sourcesOf(manifest).map(read));
}
