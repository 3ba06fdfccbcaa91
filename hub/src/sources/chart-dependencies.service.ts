import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../queue/outbox.ts';
import { ChartDependenciesRepository } from './chart-dependencies.repository.ts';
import type { DependedOn } from './depended-on.ts';
import { followedSource } from './followed-source.ts';
import { SourcesRepository } from './sources.repository.ts';
import { type RevisionState, SourcesService, stateKey } from './sources.service.ts';

/** Dependencies of charts as followed revisions: where they are, what they are pinned to, who depends on them. */
@Injectable()
export class ChartDependenciesService {
  constructor(
    @Inject(ChartDependenciesRepository) private readonly repository: ChartDependenciesRepository,
    @Inject(SourcesRepository) private readonly rows: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** The URL that a chart's `repository:` means: `@name` and `alias:name` are repositories registered under that name. */
  async urlOf(repository: string, project: string): Promise<string> {
    const [, name] = /^(?:@|alias:)(.*)$/.exec(repository) ?? [];
    if (name === undefined) return repository;
    const row = await this.rows.byName(this.rows.db, name);
    if (
      !row ||
      (row.project !== null && row.project !== project) ||
      (row.kind !== 'helm' && row.kind !== 'oci')
    )
      throw new MusterError('not-found', `no repository of charts is registered with the name ${name}`, {
        hint: `muster repo add URL --type helm --name ${name}`,
      });
    return row.display_url;
  }

  /** What is followed for a version or range of a chart; the repository is known to the hub from now on. */
  async followed(
    url: string,
    name: string,
    version: string,
  ): Promise<{ repositoryId: string; revision: string }> {
    if (!/^(https?|oci):\/\//.test(url))
      throw new MusterError('unsupported', `charts are not fetched from ${url}`, {
        hint: 'https, http, oci, @name of a registered repository, or file:// in the same repository',
      });
    const { url: address, revision } = followedSource({ repoURL: url, chart: name, targetRevision: version });
    const ids = await this.sources.ensure(this.rows.db, [address]);
    const repositoryId = ids.get(address);
    if (!repositoryId) throw new MusterError('invalid', `the hub cannot read the repository ${url}`);
    return { repositoryId, revision };
  }

  /** The project that a repository belongs to; undefined: anybody's. */
  async scopeOf(repositoryId: string): Promise<string | undefined> {
    return (await this.sources.projectsOf([repositoryId])).get(repositoryId);
  }

  /** The pin that is recorded, else what the repository has now: `error` says why neither is there, or why it was not read lately. */
  async state(repositoryId: string, revision: string, signal: AbortSignal): Promise<RevisionState> {
    const known = (await this.sources.states([repositoryId])).get(stateKey(repositoryId, revision));
    if (known?.commit || known?.error) return known;
    try {
      return { commit: await this.sources.pointOf(repositoryId, revision, signal) };
    } catch (thrown) {
      signal.throwIfAborted();
      return { error: MusterError.from(thrown).describe() };
    }
  }

  /**
   * Records what an owner's charts depend on, so that it is rendered again when a pin moves; and has `again` rendered
   * where one moved meanwhile. Without `all` what was recorded before stays too.
   */
  async record(
    owner: { kind: 'set' | 'application'; id: string },
    found: readonly DependedOn[],
    { all, again }: { all: boolean; again: string },
  ): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      const followed = found.length > 0 ? await this.repository.follow(trx, found) : [];
      await this.repository.depend(trx, owner, found, all);
      await this.sources.ask(trx, followed);
      if (found.length > 0 && (await this.repository.moved(trx, found)))
        await this.outbox.add(trx, 'render', [again]);
    });
  }
}
