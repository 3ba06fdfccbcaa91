/** A repository in a folder, for tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface TestRepository {
  url: string;
  work: string;
  git(...args: string[]): string;
  /** Writes files (null deletes) and commits them; answers the commit. */
  commit(files: Record<string, string | Buffer | null>, message: string): string;
}

/** An empty repository with the branch main, in `folder/name`. */
export function makeRepository(folder: string, name: string): TestRepository {
  const work = join(folder, name);
  mkdirSync(work, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: work,
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GIT_AUTHOR_NAME: 'Ada',
        GIT_AUTHOR_EMAIL: 'ada@example.com',
        GIT_COMMITTER_NAME: 'Ada',
        GIT_COMMITTER_EMAIL: 'ada@example.com',
      },
    }).trim();
  git('init', '-q', '-b', 'main');
  git('config', 'core.compression', '0');
  return {
    url: `file://${work}`,
    work,
    git,
    commit(files, message) {
      for (const [path, content] of Object.entries(files)) {
        const target = join(work, path);
        if (content === null) rmSync(target, { recursive: true });
        else {
          mkdirSync(dirname(target), { recursive: true });
          writeFileSync(target, content);
        }
      }
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
  };
}
