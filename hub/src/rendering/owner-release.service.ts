import { Inject, Injectable } from '@nestjs/common';
import { ApplicationRecords, type ApplicationRecord } from '../applications/application-records.service.ts';
import type { RenderedRow } from '../applications/application-records.service.ts';
import { Events } from '../api/events.ts';
import type { JobContext } from '../queue/jobs.ts';
import type { Owner } from '../releases/owner.ts';
import { ReleasesService } from '../releases/releases.service.ts';
import { AcceptedRules } from '../drift/accepted-rules.service.ts';
import { type Customizations, SettingsService } from '../settings/settings.service.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import { type HubPart, Roots } from '../roots/roots.service.ts';
import { DATABASE } from '../store/database.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import type { EarlierContents } from './joiners.service.ts';
import { mergeConditions } from './conditions.ts';
import { type OwnerTargets, isDue, ownerTargets } from './owner-targets.ts';
import type { Rendering } from './renderings.service.ts';

/** What was found out before the transaction. */
interface Prepared {
  parts: ReadonlyMap<string, HubPart>;
  customizations: Customizations;
  earlier: EarlierContents;
}

/** The transaction that ends a render: Applications, release and outbox together, or nothing. */
@Injectable()
export class OwnerRelease {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ReleasesService) private readonly releases: ReleasesService,
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(AcceptedRules) private readonly accepted: AcceptedRules,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(Events) private readonly events: Events,
  ) {}

  load(owner: Owner): Promise<ApplicationRecord[]> {
    return this.records.ofOwner(this.db, owner);
  }

  /** Writes what is different, and nothing when nothing is. `earlier`: what targets that join hold until their turn comes. */
  async finish(
    owner: Owner,
    records: readonly ApplicationRecord[],
    rendering: Rendering,
    context: JobContext,
    earlier: EarlierContents,
  ): Promise<void> {
    const parts = await this.roots.divide(records, rendering);
    const digests = [...rendering.holdings.values()].map((holding) => holding.bundleDigest);
    // May open bundles: not while the owner is held.
    const customizations = await this.settings.customizations(digests);
    await this.db.transaction().execute(async (trx) => {
      // Completed last: everyone takes owners first and outbox rows after them.
      if (await this.releases.hold(trx, owner))
        await this.#write(trx, owner, records, rendering, { parts, customizations, earlier });
      await context.complete(trx);
    });
  }

  async #write(
    trx: Trx,
    owner: Owner,
    records: readonly ApplicationRecord[],
    rendering: Rendering,
    { parts, customizations, earlier }: Prepared,
  ): Promise<void> {
    // Applications that changed while they were rendered have been asked for again.
    const now = await this.records.versions(trx, owner);
    const current = records.filter(({ row }) => now.get(row.id) === row.version);
    const latest = await this.releases.latest(trx, owner);
    const previous = latest?.targets ?? [];
    const assigned = await this.releases.assignedFor(
      trx,
      current.map(({ row }) => row.id),
    );
    const at = new Date();
    const next = ownerTargets({
      records: current,
      rendering,
      previous,
      assigned,
      clusters: await this.releases.assignable(trx, previous),
      now: at,
      customizations,
      accepted: await this.accepted.of(
        trx,
        current.map(({ row }) => row.id),
      ),
      hubOnly: hubOnly(parts, assigned),
      waiting: await this.#childrenFirst(trx, current, at),
    });
    const kept = new Set(current.map(({ row }) => row.id));
    const skipped = new Set(records.flatMap(({ row }) => (kept.has(row.id) ? [] : [row.id])));
    const targets = [...next.targets, ...previous.filter((target) => skipped.has(target.applicationId))];
    const releaseId = await this.releases.release(trx, owner, latest, targets, next, earlier);
    const changed = changedRows(current, rendering, next, releaseId, parts);
    await this.records.rendered(trx, changed);
    await this.#rendered(trx, current, rendering, parts);
    await this.records.tombstoned(trx, next.departing);
    await this.releases.depart(trx, next.departing);
    const names = new Map(current.map(({ row }) => [row.id, `${row.namespace}/${row.name}`]));
    await this.events.publish(
      'application',
      [...changed.map((row) => row.id), ...next.departing].map((id) => names.get(id)!),
      { trx },
    );
  }

  /** Applications whose children are uninstalled before them. */
  #childrenFirst(trx: Trx, records: readonly ApplicationRecord[], now: Date): Promise<Set<string>> {
    const due = records.filter(
      ({ row }) => isDue(row, now) && !row.tombstoned_at && row.leaving_action === 'uninstall',
    );
    return this.roots.childrenFirst(
      trx,
      due.map(({ row }) => row.id),
    );
  }

  /** Tells the hub what it holds itself; Applications that were rendered for clusters are its no longer. */
  async #rendered(
    trx: Trx,
    records: readonly ApplicationRecord[],
    rendering: Rendering,
    parts: ReadonlyMap<string, HubPart>,
  ): Promise<void> {
    const rows = records.map(({ row }) => row).filter((row) => rendering.holdings.has(row.id));
    const roots = rows.flatMap((row) => {
      const part = parts.get(row.id);
      return part
        ? [{ applicationId: row.id, digest: part.digest, commit: part.commits[0]!, version: row.version }]
        : [];
    });
    const elsewhere = rows.filter((row) => !parts.has(row.id)).map((row) => row.id);
    await this.roots.rendered(trx, roots, elsewhere);
  }
}

/** Applications with nothing for a cluster, and nothing there of them that would have to be pruned. */
function hubOnly(
  parts: ReadonlyMap<string, HubPart>,
  assigned: readonly { applicationId: string }[],
): Set<string> {
  const held = new Set(assigned.map((row) => row.applicationId));
  return new Set([...parts].flatMap(([id, part]) => (part.hub || (part.empty && !held.has(id)) ? [id] : [])));
}

/** The rows whose columns are different from what was found. */
function changedRows(
  records: readonly ApplicationRecord[],
  rendering: Rendering,
  next: OwnerTargets,
  releaseId: string | undefined,
  parts: ReadonlyMap<string, HubPart>,
): RenderedRow[] {
  const targets = new Map(next.targets.map((target) => [target.applicationId, target]));
  const out: RenderedRow[] = [];
  for (const { row } of records) {
    if (row.leaving_at !== null || row.tombstoned_at !== null) continue;
    const holding = rendering.holdings.get(row.id);
    const target = targets.get(row.id);
    const part = parts.get(row.id);
    const { conditions, changed } = mergeConditions(
      row.conditions,
      rendering.conditions.get(row.id) ?? [],
      new Date(),
    );
    const found: RenderedRow = {
      id: row.id,
      // Of what only the hub holds, no cluster is the Application's.
      clusterId: part && !target?.digest ? null : clusterOf(row, rendering),
      renderKey: holding?.inputKey ?? row.render_key,
      bundleDigest: holding?.bundleDigest ?? row.bundle_digest,
      commit: holding ? (target?.commit ?? part?.commits[0] ?? row.commit) : row.commit,
      commits: !holding ? row.commits : target ? target.commits : severalOf(part?.commits),
      releaseId: (holding && releaseId) || row.release_id,
      conditions,
    };
    const same =
      found.clusterId === row.cluster_id &&
      found.renderKey === row.render_key &&
      found.bundleDigest === row.bundle_digest &&
      found.commit === row.commit &&
      sameList(found.commits, row.commits) &&
      found.releaseId === row.release_id;
    if (!same || changed) out.push(found);
  }
  return out;
}

/** Kept only where there is more than one. */
function severalOf(commits: string[] | undefined): string[] | null {
  return commits && commits.length > 1 ? commits : null;
}

function sameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === b || (a !== null && b !== null && a.length === b.length && a.every((one, i) => one === b[i]));
}

/** The hub is no cluster that an Application could be on. */
function clusterOf(row: ApplicationRecord['row'], { clusters }: Rendering): string | null {
  const cluster = clusters.get(row.id);
  return cluster && cluster.id !== HUB_ID ? cluster.id : row.cluster_id;
}
