import type { ApplicationSetList, ApplicationSetView } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { decodeCursor, toPage } from '../api/paging.ts';
import { lookingSecret, maskStrings } from '../rendering/secrets.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import { SetManifests } from './set-manifests.ts';

/** ApplicationSets as users see them. */
@Injectable()
export class SetViews implements OnModuleInit {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Events) private readonly events: Events,
  ) {}

  onModuleInit(): void {
    this.events.visibility('applicationset', (keys, projects) => this.repository.visible(keys, projects));
  }

  async list(actor: Actor, limit: number, after?: string): Promise<ApplicationSetList> {
    const cursor = after === undefined ? undefined : (decodeCursor(after, 2) as [string, string]);
    const rows = await this.repository.page(this.access.visibleProjects(actor, 'viewer'), limit + 1, cursor);
    const page = toPage(rows, limit, (row) => [row.namespace, row.name]);
    return { ...page, items: await this.#views(page.items) };
  }

  async get(actor: Actor, namespace: string, name: string): Promise<ApplicationSetView> {
    const row = await this.visible(actor, namespace, name);
    const [view] = await this.#views([row]);
    const manifest = this.manifests.open(row) as unknown as Record<string, unknown>;
    return {
      ...view!,
      manifest: { ...manifest, spec: maskStrings(manifest.spec, lookingSecret(manifest.spec)) },
    };
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async visible(actor: Actor, namespace: string, name: string): Promise<SetRow> {
    const row = await this.repository.byName(namespace, name);
    if (!row || !this.access.allows(actor, 'viewer', row.project || '*')) {
      throw new MusterError('not-found', `there is no ApplicationSet ${namespace}/${name}`);
    }
    return row;
  }

  async #views(rows: readonly SetRow[]): Promise<ApplicationSetView[]> {
    const ids = rows.map((row) => row.id);
    const [counts, releases, problems] = await Promise.all([
      this.repository.counts(ids),
      this.repository.latestReleases(ids),
      this.repository.rolloutProblems(ids),
    ]);
    return rows.map((row) => {
      const count = counts.get(row.id);
      const release = releases.get(row.id);
      return {
        namespace: row.namespace,
        name: row.name,
        project: row.project,
        applications: count?.applications ?? 0,
        leaving: count?.leaving ?? 0,
        held: count?.held ?? 0,
        deleting: row.deleting_at !== null,
        conditions: [...row.conditions, ...rolloutConditions(problems.get(row.id))],
        ...(release
          ? {
              release: {
                id: release.id,
                number: Number(release.number),
                cause: release.cause,
                at: release.created_at.toISOString(),
              },
            }
          : {}),
        createdAt: row.created_at.toISOString(),
        updatedAt: row.updated_at.toISOString(),
      };
    });
  }
}

/** A policy that is missing or broken lets no newer release go. */
function rolloutConditions(problem: { message: string; since: Date } | undefined): SetRow['conditions'] {
  if (!problem) return [];
  const { message, since } = problem;
  const lastTransitionTime = since.toISOString();
  return [{ type: 'RolloutPolicy', status: 'False', reason: 'PolicyProblem', message, lastTransitionTime }];
}
