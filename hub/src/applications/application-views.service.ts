import type {
  ApplicationDetail,
  ApplicationHistory,
  ApplicationList as ApplicationPage,
  ApplicationManifests,
  ApplicationResources,
  ApplicationView,
  Condition,
  ListApplications,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { redact, secretValues } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { decodeCursor, toPage } from '../api/paging.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { maskStrings } from '../rendering/secrets.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { ReleasesService } from '../releases/releases.service.ts';
import { HUB_ID, HUB_NAME } from '../roots/hub-destination.ts';
import { Roots } from '../roots/roots.service.ts';
import { StatusService } from '../status/status.service.ts';
import { ApplicationList, type ListedRow, type StoredPin } from './application-list.repository.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { originOf } from './application-origin.ts';
import { rolloutOf } from './application-rollout.ts';
import { sourcesOf } from './application-sources.ts';
import { maskedManifest } from './masked-manifest.ts';

/** Applications as users see them. */
@Injectable()
export class ApplicationViews {
  constructor(
    @Inject(ApplicationList) private readonly rows: ApplicationList,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ReleasesService) private readonly releases: ReleasesService,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(StatusService) private readonly status: StatusService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  async list(actor: Actor, query: ListApplications): Promise<ApplicationPage> {
    const rows = await this.rows.read({
      ...query,
      projects: this.access.visibleProjects(actor, 'viewer'),
      labels: labelsOf(query.label),
      after: query.after === undefined ? undefined : (decodeCursor(query.after, 2) as [string, string]),
      limit: query.limit + 1,
    });
    const page = toPage(rows, query.limit, (row) => [row.namespace, row.name]);
    return { ...page, items: page.items.map((row) => this.#view(row)) };
  }

  async get(actor: Actor, namespace: string, name: string): Promise<ApplicationDetail> {
    const row = await this.visible(actor, namespace, name);
    const { manifest } = this.records.open(row);
    const isInline = sourcesOf(manifest).some(
      ({ helm }) => helm?.values || helm?.valuesObject || helm?.parameters,
    );
    const objects = isInline && row.bundle_digest ? await this.bundles.objects(row.bundle_digest) : [];
    return { ...this.#view(row), manifest: maskedManifest(manifest, secretValues(objects)) };
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async visible(actor: Actor, namespace: string, name: string): Promise<ListedRow> {
    const [row] = await this.rows.read({
      projects: this.access.visibleProjects(actor, 'viewer'),
      namespace,
      name,
      limit: 1,
    });
    if (!row) throw new MusterError('not-found', `there is no Application ${namespace}/${name}`);
    return row;
  }

  async history(actor: Actor, namespace: string, name: string): Promise<ApplicationHistory> {
    const row = await this.visible(actor, namespace, name);
    const [releases, deployments] = await Promise.all([
      this.releases.history(row.id),
      this.status.history(namespace, name, { limit: 50 }),
    ]);
    const names = new Map(
      (await this.clusters.byIds([...new Set(deployments.map((one) => one.cluster_id))])).map((one) => [
        one.id,
        one.name,
      ]),
    );
    return {
      releases: releases.map((one) => ({
        id: one.id,
        number: Number(one.number),
        cause: one.cause,
        ...(one.commit ? { commit: one.commit } : {}),
        ...(one.commits ? { commits: one.commits } : {}),
        ...(one.message === null ? {} : { message: one.message }),
        ...(one.author === null ? {} : { author: one.author }),
        at: one.created_at.toISOString(),
        ...(one.bundle_digest ? { bundle: one.bundle_digest } : {}),
        ...(one.removed_action ? { removed: one.removed_action } : {}),
      })),
      deployments: deployments.map((one) => ({
        cluster: one.cluster_id === HUB_ID ? HUB_NAME : (names.get(one.cluster_id) ?? one.cluster_id),
        bundle: one.bundle_digest,
        ...(one.release_id ? { release: one.release_id } : {}),
        ...(one.commit ? { commit: one.commit } : {}),
        ...(one.commits ? { commits: one.commits } : {}),
        appliedAt: one.applied_at.toISOString(),
        ...(one.healthy_at ? { healthyAt: one.healthy_at.toISOString() } : {}),
      })),
    };
  }

  async resources(actor: Actor, namespace: string, name: string): Promise<ApplicationResources> {
    const row = await this.visible(actor, namespace, name);
    const [cluster, hub] = await Promise.all([
      row.cluster_id ? this.status.resources({ clusterId: row.cluster_id, namespace, name }) : {},
      row.is_root ? this.roots.resources(row.id) : {},
    ]);
    const known = row.silent_since ? unheard(cluster, row.observed_at) : cluster;
    const resources = [...Object.entries(hub), ...Object.entries(known)].map(([key, resource]) => ({
      key,
      ...(resource as object),
    }));
    return {
      ...(row.observed_at ? { observedAt: row.observed_at.toISOString() } : {}),
      ...(row.silent_since ? { silentSince: row.silent_since.toISOString() } : {}),
      resources,
    };
  }

  /** The objects of the bundle that was rendered last, well; values of Secrets are masked wherever they stand. */
  async manifests(actor: Actor, namespace: string, name: string): Promise<ApplicationManifests> {
    const row = await this.visible(actor, namespace, name);
    if (!row.bundle_digest) return { objects: [] };
    const all = await this.bundles.objects(row.bundle_digest);
    const secrets = secretValues(all);
    const objects = all.map((object) => maskStrings(redact(object) as Record<string, unknown>, secrets));
    return { bundle: row.bundle_digest, ...(row.commit ? { commit: row.commit } : {}), objects };
  }

  #view(row: ListedRow): ApplicationView {
    const { manifest } = this.records.open(row);
    const automated = manifest.spec.syncPolicy?.automated;
    const rollout = rolloutOf(row.rolling, row.pin ? null : row.held);
    const since = row.silent_since ?? row.status_since;
    const refused = row.refused
      ? [{ type: 'AssignmentRefused', message: `the agent refused the assignment: ${row.refused}` }]
      : [];
    const waits = (row.waits ?? []).map((one) => ({
      type: 'DependencyNotReady',
      message: `waits for ${one.on}: ${one.reason}`,
      ...(one.since ? { since: one.since } : {}),
    }));
    return {
      namespace: row.namespace,
      name: row.name,
      project: row.project,
      ...(row.set_name ? { set: row.set_name } : {}),
      ...(row.root_name ? { root: row.root_name } : {}),
      ...(row.is_root ? { ofHub: true } : {}),
      labels: row.labels,
      destination: {
        ...(row.cluster_name ? { cluster: row.cluster_name } : {}),
        server: row.cluster_server ?? row.destination,
        namespace: row.destination_namespace,
      },
      ...originOf(row, manifest),
      automated: automated != null && automated.enabled !== false,
      sync: row.sync_now,
      health: row.health_now,
      healthMessage: row.silent_since ? 'the cluster is silent' : (row.health_message ?? ''),
      ...(since ? { since: since.toISOString() } : {}),
      ...(row.observed_at ? { observedAt: row.observed_at.toISOString() } : {}),
      ...(row.cluster_name
        ? {
            clusterState: {
              connected: row.last_seen_at !== null && !row.silent_since,
              ...(row.silent_since ? { silentSince: row.silent_since.toISOString() } : {}),
            },
          }
        : {}),
      conditions: [
        ...row.conditions,
        ...waits,
        ...refused,
        ...problemOf(row),
        ...(row.status_conditions ?? []),
      ],
      ...(row.operation ? { operation: operationOf(row.operation) } : {}),
      ...(row.leaving_at || row.tombstoned_at
        ? {
            leaving: {
              at: (row.leaving_at ?? row.tombstoned_at!).toISOString(),
              action: row.leaving_action ?? 'orphan',
              ...(row.held_reason ? { held: row.held_reason } : {}),
              signed: row.tombstoned_at !== null,
              ...(row.tombstoned_at && row.operation?.['message']
                ? { waits: String(row.operation['message']) }
                : {}),
            },
          }
        : {}),
      ...(row.pin ? { pinned: pinOf(row.pin) } : {}),
      ...(row.release_id && row.release_number !== null
        ? { release: { id: row.release_id, number: Number(row.release_number) } }
        : {}),
      ...(rollout ? { rollout } : {}),
    };
  }
}

/** Of a cluster that cannot be heard nothing is known but what it said last. */
function unheard(resources: object, observedAt: Date | null): object {
  const at = observedAt?.toISOString();
  return Object.fromEntries(
    Object.entries(resources).map(([key, resource]) => {
      const { sync, health, ...rest } = resource as { sync?: string; health?: string };
      const last = { ...(sync && { sync }), ...(health && { health }), ...(at && { at }) };
      const now = { ...(sync && { sync: 'Unknown' }), ...(health && { health: 'Unknown' }) };
      return [key, { ...rest, ...now, lastObserved: last }];
    }),
  );
}

/** A policy that is missing or broken lets no newer release go. */
function problemOf({ rollout_problem: message, rollout_problem_since: since }: ListedRow): Condition[] {
  return message === null ? [] : [{ type: 'RolloutPolicy', message, since: since!.toISOString() }];
}

function pinOf({ by, reason, since, until, release }: StoredPin): NonNullable<ApplicationView['pinned']> {
  return {
    ...(release ? { release } : {}),
    by,
    reason,
    since: new Date(since).toISOString(),
    ...(until ? { until: new Date(until).toISOString() } : {}),
  };
}

function operationOf(stored: Record<string, unknown>): NonNullable<ApplicationView['operation']> {
  const { phase, message, startedAt, finishedAt, commandId, retries, ...progress } = stored as Partial<
    NonNullable<ApplicationView['operation']>
  >;
  return {
    ...progress,
    phase: phase ?? '',
    message: message ?? '',
    ...(startedAt ? { startedAt } : {}),
    ...(finishedAt ? { finishedAt } : {}),
    ...(commandId ? { commandId } : {}),
    retries: retries ?? 0,
  };
}

function labelsOf(text: string | undefined): { key: string; value?: string }[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [key, ...value] = part.split('=');
      return value.length > 0 ? { key: key!, value: value.join('=') } : { key: key! };
    });
}
