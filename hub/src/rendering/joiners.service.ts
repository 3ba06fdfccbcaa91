import { Inject, Injectable } from '@nestjs/common';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { AcceptedRules } from '../drift/accepted-rules.service.ts';
import { commitsOf } from '../releases/release-plan.ts';
import type { Owner } from '../releases/owner.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import {
  type BaseRelease,
  JoinerBases,
  type FollowedRevisions,
} from '../rollouts/joiners/joiner-bases.service.ts';
import { type Content, keyOfTarget } from '../releases/targets.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { type RevisionState, stateKey } from '../sources/sources.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { type RenderedContent, renderedContent } from './owner-targets.ts';
import { type Rendering, Renderings } from './renderings.service.ts';

/** What targets that join hold before their turn comes: that of the release that the others come from. */
export interface EarlierContents {
  /** By `keyOfTarget`. */
  targets: Map<string, Content>;
  /** Encoded assignments by digest. */
  contents: Map<string, Buffer>;
}

interface Peer {
  record: ApplicationRecord;
  content: Content;
  commits: string[];
}

type Accepted = Awaited<ReturnType<AcceptedRules['of']>>;

/**
 * Renders what joins while something newer is on its way at the commits that the others come from. It is taken only where a
 * target that was in that release comes to exactly what it was then: else the specification has changed since, and nobody
 * knows what the newcomer would have held.
 */
@Injectable()
export class Joiners {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(JoinerBases) private readonly bases: JoinerBases,
    @Inject(Renderings) private readonly renderings: Renderings,
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(AcceptedRules) private readonly accepted: AcceptedRules,
  ) {}

  async earlier(
    owner: Owner,
    records: readonly ApplicationRecord[],
    rendering: Rendering,
    signal: AbortSignal,
  ): Promise<EarlierContents> {
    const found: EarlierContents = { targets: new Map(), contents: new Map() };
    const newcomers = records.filter((record) => isNew(record, rendering));
    const base = newcomers.length > 0 ? await this.bases.of(owner.id) : undefined;
    if (!base || base.targets.length === 0) return found;
    const held = new Map(base.targets.map((target) => [target.applicationId, target]));
    const followed = await this.bases.followed([...newcomers.map(({ row }) => row.id), ...held.keys()]);
    const groups = Map.groupBy(newcomers, ({ row }) => signature(followed.get(row.id)));
    for (const [like, joining] of groups) {
      const sources = followed.get(joining[0]!.row.id);
      const peer = sources && peerOf(records, base, (id) => signature(followed.get(id)) === like);
      if (peer && peer.commits.length === sources.length)
        await this.#render(joining, peer, sources, found, signal);
    }
    return found;
  }

  async #render(
    joining: readonly ApplicationRecord[],
    peer: Peer,
    sources: FollowedRevisions,
    found: EarlierContents,
    signal: AbortSignal,
  ): Promise<void> {
    const revisions = new Map<string, RevisionState>(
      sources.map(({ repositoryId, revision }, i) => [
        stateKey(repositoryId, revision),
        { commit: peer.commits[i]! },
      ]),
    );
    const subjects = [...joining, peer.record].map(({ row, manifest }) => ({ id: row.id, manifest }));
    const rendering = await this.renderings.render(subjects, { revisions }, signal);
    const digests = [...rendering.holdings.values()].map((holding) => holding.bundleDigest);
    const customizations = await this.settings.customizations(digests);
    const accepted: Accepted = await this.db.transaction().execute((trx) =>
      this.accepted.of(
        trx,
        subjects.map(({ id }) => id),
      ),
    );
    const contentOf = ({ row }: ApplicationRecord): RenderedContent | undefined =>
      rendering.holdings.has(row.id)
        ? renderedContent(row, { rendering, customizations, accepted })
        : undefined;
    if (contentOf(peer.record)?.digest !== peer.content.digest) return;
    for (const record of joining) {
      const made = contentOf(record);
      if (!made) continue;
      const key = keyOfTarget({ applicationId: record.row.id, clusterId: made.clusterId });
      found.contents.set(made.digest, made.content);
      found.targets.set(key, {
        releaseId: peer.content.releaseId,
        digest: made.digest,
        bundleDigest: made.bundleDigest,
        commit: peer.commits[0]!,
        commits: peer.commits.length > 1 ? peer.commits : null,
      });
    }
  }
}

/** No release ever had it. */
function isNew({ row }: ApplicationRecord, rendering: Rendering): boolean {
  if (row.release_id !== null || row.leaving_at !== null || row.tombstoned_at !== null) return false;
  const cluster = rendering.clusters.get(row.id);
  return rendering.holdings.has(row.id) && cluster !== undefined && cluster.id !== HUB_ID;
}

function signature(sources: FollowedRevisions | undefined): string {
  return JSON.stringify(sources ?? null);
}

/** A target of the release that follows the same; if there is one that its commit changed, that: it names the newest commits. */
function peerOf(
  records: readonly ApplicationRecord[],
  base: BaseRelease,
  isAlike: (applicationId: string) => boolean,
): Peer | undefined {
  const byId = new Map(records.map((record) => [record.row.id, record]));
  const peers = base.targets.flatMap(({ applicationId, content }): Peer[] => {
    const record = byId.get(applicationId);
    const commits = commitsOf(content);
    return record && commits.length > 0 && isAlike(applicationId) ? [{ record, content, commits }] : [];
  });
  return peers.find(({ commits }) => base.commit !== null && commits.includes(base.commit)) ?? peers[0];
}
