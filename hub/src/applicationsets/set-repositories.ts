import type { RepoContents, RepoTree } from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { DATABASE, type Db } from '../store/database.ts';
import type { SourceTree } from '../sources/source-tree.ts';
import { SourcesService, stateKey } from '../sources/sources.service.ts';

const MAX_FILES = 100_000;

/** Where git generators of ApplicationSets read: repositories at the commits that their revisions point at. */
@Injectable()
export class SetRepositories {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(SourcesService) private readonly sources: SourcesService,
  ) {}

  /** Throws what keeps a repository from being read: an expansion then changes nothing. */
  contents(signal: AbortSignal): RepoContents {
    return {
      tree: async (url, revision) => {
        const id = (await this.sources.ensure(this.db, [url])).get(url);
        if (!id) throw new MusterError('invalid', `the hub cannot read the repository ${url}`);
        const state = (await this.sources.states([id])).get(stateKey(id, revision || 'HEAD'));
        if (state?.error) throw new MusterError('unavailable', state.error);
        if (!state?.commit)
          throw new MusterError('unavailable', `the repository ${url} has not been read yet`);
        return repoTree(await this.sources.tree(id, state.commit, signal));
      },
    };
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
