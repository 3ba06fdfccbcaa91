import { sha256 } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { Outbox } from '../queue/outbox.ts';
import { makeBundle } from '../releases/bundle.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { commitsOf } from '../releases/release-plan.ts';
import type { Rendering } from '../rendering/renderings.service.ts';
import type { RootSyncRequest, Trx } from '../store/schema.ts';
import { type Destination, HUB_ID, belongsToHub, isInCluster } from './hub-destination.ts';
import { type RenderedRoot, RootsRepository } from './roots.repository.ts';

/** What the hub itself gets of an Application. */
export interface HubPart {
  digest: string;
  /** Of each source. */
  commits: string[];
  /** The hub is the destination, not the cluster that it runs in. */
  hub: boolean;
  /** Nothing of it belongs on a cluster. */
  empty: boolean;
}

const CHILDREN_FIRST = 'its children leave first';

/** Applications that deploy to the hub, as those who render, show and sync Applications need to know them. */
@Injectable()
export class Roots {
  constructor(
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Divides what was rendered for the cluster that the hub runs in: Applications, ApplicationSets and AppProjects are
   * the hub's, the rest the cluster's, whose holdings shrink to it. Answers the hub's parts by Application id.
   */
  async divide(records: readonly ApplicationRecord[], rendering: Rendering): Promise<Map<string, HubPart>> {
    const parts = new Map<string, HubPart>();
    for (const { row } of records) {
      const { id } = row;
      const prepared = rendering.prepared.get(id);
      const holding = rendering.holdings.get(id);
      if (!prepared || !holding) continue;
      const { application, cluster, sources } = prepared;
      const { bundleDigest: digest } = holding;
      const commits = commitsHere(row, digest, sources);
      if (cluster.id === HUB_ID) parts.set(id, { digest, commits, hub: true, empty: true });
      else if (isInCluster(application.spec.destination)) {
        const rest = await this.#clusterPart(holding.inputKey, digest, application.spec.destination);
        if (!rest) continue;
        parts.set(id, { digest, commits, hub: false, empty: rest.objectCount === 0 });
        rendering.holdings.set(id, {
          ...holding,
          bundleDigest: rest.digest,
          plainSize: BigInt(rest.plainSize),
        });
      }
    }
    return parts;
  }

  /** The objects of a bundle that are not the hub's, as a bundle of their own; undefined when all are the cluster's. */
  async #clusterPart(inputKey: string, digest: string, destination: Destination) {
    const objects = await this.bundles.objects(digest);
    const rest = objects.filter((object) => !belongsToHub(destination, object));
    if (rest.length === objects.length) return undefined;
    const bundle = makeBundle(rest);
    const key = sha256(`cluster part of ${inputKey}`);
    await this.bundles.store(bundle, {
      inputKey: key,
      baseKey: key,
      bundleDigest: bundle.digest,
      reads: { files: {}, dirs: {}, absent: [] },
      asked: {},
      notices: [],
    });
    return bundle;
  }

  /** Notes what rendering found for the hub, in its transaction, and which Applications are the hub's no longer. */
  async rendered(trx: Trx, roots: readonly RenderedRoot[], elsewhere: readonly string[]): Promise<void> {
    await this.repository.elsewhere(trx, elsewhere);
    await this.ask(trx, await this.repository.rendered(trx, roots));
  }

  /** Those of the Applications that are due to be uninstalled and have children, which leave before them. */
  async childrenFirst(trx: Trx, due: readonly string[]): Promise<Set<string>> {
    const waiting = await this.repository.removing(trx, due, CHILDREN_FIRST);
    await this.ask(trx, waiting);
    return new Set(waiting);
  }

  /** Has roots compared with what there is. */
  async ask(trx: Trx, ids: readonly string[], notBefore?: Date): Promise<void> {
    await this.outbox.add(
      trx,
      'expand',
      ids.map((id) => `root:${id}`),
      notBefore ? { notBefore } : {},
    );
  }

  /** Its children as resources, by `group/Kind/namespace/name`. */
  async resources(id: string): Promise<Record<string, unknown>> {
    return (await this.repository.find(id))?.resources ?? {};
  }

  /** Asks for a sync of what the hub holds of an Application. */
  async requestSync(trx: Trx, id: string, request: RootSyncRequest): Promise<void> {
    await this.repository.request(trx, id, request);
    await this.ask(trx, [id]);
  }

  /**
   * Notes whose rights the children of an Application, or of those that a set makes, are written with: whoever applied
   * it last. Roots that write roots are covered by the authority of the outermost one. `same`: nothing was changed, so
   * nobody loses what was granted before.
   */
  async recordAuthority(trx: Trx, ownerId: string, actor: Actor, same: boolean): Promise<void> {
    if (isRootActor(actor)) return;
    const operatorIn = this.access.visibleProjects(actor, 'operator');
    const admin = this.access.allows(actor, 'admin');
    const before = same ? await this.repository.authority(ownerId, trx) : undefined;
    const everywhere = operatorIn === '*' || before?.operatorIn === '*';
    const union = [...new Set([...(operatorIn as string[]), ...((before?.operatorIn ?? []) as string[])])];
    const authority = {
      actor: actor.name,
      operatorIn: everywhere ? ('*' as const) : union.sort(),
      admin: admin || (before?.admin ?? false),
    };
    const gains =
      !before ||
      authority.admin !== before.admin ||
      String(authority.operatorIn) !== String(before.operatorIn);
    if (!gains) return;
    await this.repository.recordAuthority(trx, ownerId, authority);
    if (await this.repository.find(ownerId, trx)) await this.ask(trx, [ownerId]);
  }
}

/** A commit that changed nothing keeps the one that did. */
function commitsHere(
  row: ApplicationRecord['row'],
  digest: string,
  sources: readonly { state: { commit: string } }[],
): string[] {
  const known = commitsOf(row);
  if (row.bundle_digest === digest && known.length === sources.length) return known;
  return sources.map((source) => source.state.commit);
}

const ROOT_ACTOR = 'root:';

/** Who writes the children of a root: `root:namespace/name`, with no more rights than it was given. */
export function rootActor(name: string, grants: Actor['grants']): Actor {
  return { kind: 'system', name: `${ROOT_ACTOR}${name}`, grants };
}

function isRootActor(actor: Actor): boolean {
  return actor.kind === 'system' && actor.name.startsWith(ROOT_ACTOR);
}
