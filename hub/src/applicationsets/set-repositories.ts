import type { ApplicationSet, RepoContents, RepoTree } from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../queue/outbox.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { scopeDenial } from '../sources/repository-scope.ts';
import type { SourceTree } from '../sources/source-tree.ts';
import { type RevisionState, SourcesService, stateKey } from '../sources/sources.service.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { writtenRepositories } from './set-manifest.ts';

const MAX_FILES = 100_000;
/** Repositories and revisions that one expansion may read. */
const MAX_READ = 1000;

/** A revision of a repository. */
interface Followed {
  repositoryId: string;
  revision: string;
}

/** What an expansion read, or wanted to, by `stateKey`. */
export type RepositoriesRead = Map<string, Followed>;

/** Repositories as they are supposed to be. */
export interface SupposedRepositories {
  /** Where some revisions point, by `stateKey`; the others point where they do. */
  revisions: ReadonlyMap<string, RevisionState>;
  /** Whether who supposes it may have this repository read. */
  mayRead(repositoryId: string): Promise<boolean>;
}

/** Where git generators of ApplicationSets read: repositories at the commits that their revisions point at. */
@Injectable()
export class SetRepositories {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Throws what keeps a repository from being read: an expansion then changes nothing. What was asked for is noted in
   * `read`; each is read once, so that one expansion sees one commit of it. With `supposed`, repositories that the hub
   * does not know stay unknown to it.
   */
  contents(
    project: string,
    signal: AbortSignal,
    read: RepositoriesRead = new Map(),
    supposed?: SupposedRepositories,
  ): RepoContents {
    const trees = new Map<string, Promise<RepoTree>>();
    return {
      tree: async (url, revision) => {
        const ids = supposed ? await this.sources.known([url]) : await this.sources.ensure(this.db, [url]);
        const id = ids.get(url);
        if (!id || (await supposed?.mayRead(id)) === false)
          throw new MusterError('invalid', `the hub cannot read the repository ${url}`);
        const scope = (await this.sources.projectsOf([id])).get(id);
        const foreign = scopeDenial(url, scope, project);
        if (foreign) throw foreign;
        const key = stateKey(id, revision || 'HEAD');
        if (!read.has(key) && read.size >= MAX_READ)
          throw new MusterError('limit', `more than ${MAX_READ} repositories are read`);
        read.set(key, { repositoryId: id, revision: revision || 'HEAD' });
        const tree = trees.get(key) ?? this.#tree(id, revision || 'HEAD', signal, supposed);
        trees.set(key, tree);
        return tree;
      },
    };
  }

  async #tree(
    id: string,
    revision: string,
    signal: AbortSignal,
    supposed: SupposedRepositories | undefined,
  ): Promise<RepoTree> {
    const key = stateKey(id, revision);
    const state = supposed?.revisions.get(key) ?? (await this.sources.states([id])).get(key);
    if (state?.error) throw new MusterError('unavailable', state.error);
    const commit = state?.commit ?? (await this.sources.pointOf(id, revision, signal));
    return repoTree(await this.sources.tree(id, commit, signal));
  }

  /** A set that was written follows what its generators name, which is read now. */
  async begin(trx: Trx, setId: string, written: readonly { url: string; revision: string }[]): Promise<void> {
    const ids = await this.sources.ensure(
      trx,
      written.map((one) => one.url),
    );
    const followed = written.flatMap(({ url, revision }): Followed[] => {
      const repositoryId = ids.get(url);
      return repositoryId ? [{ repositoryId, revision }] : [];
    });
    await this.repository.repositories(trx, setId, followed);
    await this.sources.follow(trx, followed);
    await this.sources.ask(
      trx,
      followed.map((one) => one.repositoryId),
    );
  }

  /**
   * A set follows what its generators name and what its last expansion read; after one that failed, what it followed
   * before too, so that whatever mends it is seen. Writes only what is different.
   */
  async follow(
    trx: Trx,
    setId: string,
    set: ApplicationSet,
    read: RepositoriesRead,
    failed: boolean,
  ): Promise<void> {
    const before = await this.repository.followed(trx, setId);
    const written = writtenRepositories(set);
    const ids = await this.sources.ensure(
      trx,
      written.map((one) => one.url),
    );
    const wanted = new Map(read);
    const add = (one: Followed) => wanted.set(stateKey(one.repositoryId, one.revision), one);
    for (const { url, revision } of written) {
      const repositoryId = ids.get(url);
      if (repositoryId) add({ repositoryId, revision });
    }
    if (failed) before.forEach(add);
    const known = new Set(before.map((one) => stateKey(one.repositoryId, one.revision)));
    if (known.size === wanted.size && [...wanted.keys()].every((key) => known.has(key))) return;
    const followed = [...wanted.values()];
    await this.repository.repositories(trx, setId, followed);
    await this.sources.follow(trx, followed);
    // What moved between the reading and the following was announced to others only.
    if ([...wanted.keys()].some((key) => !known.has(key)))
      await this.outbox.add(trx, 'expand', [`set:${setId}`]);
  }
}

async function repoTree(tree: SourceTree): Promise<RepoTree> {
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const { name, kind } of (await tree.rawList(folder)) ?? []) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'dir') await walk(path);
      else if (kind !== 'submodule') files.push(path);
      if (files.length > MAX_FILES)
        throw new MusterError('limit', `the repository has more than ${MAX_FILES} files`);
    }
  };
  await walk('');
  return { files, read: async (path) => ((await tree.read(path)) ?? Buffer.alloc(0)).toString('utf8') };
}
