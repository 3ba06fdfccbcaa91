import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What becomes of a path: its content, nothing (null), or a symbolic link. */
export type Files = Record<string, string | Buffer | null | { linkTo: string }>;

/** A Git repository with a working tree that tests commit to. */
export class Repository {
  readonly path: string;
  readonly url: string;

  private constructor(path: string) {
    this.path = path;
    this.url = pathToFileURL(path).href;
  }

  static async create(path: string): Promise<Repository> {
    await mkdir(path, { recursive: true });
    const repository = new Repository(path);
    await repository.git('init', '--quiet', '--initial-branch=main');
    await repository.git('config', 'user.name', 'Ada');
    await repository.git('config', 'user.email', 'ada@example.com');
    await repository.git('config', 'commit.gpgsign', 'false');
    return repository;
  }

  /** Writes the files and commits; answers the commit's SHA. */
  async commit(files: Files, message: string): Promise<string> {
    for (const [name, content] of Object.entries(files)) await this.#put(join(this.path, name), content);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return this.head();
  }

  /** `git revert` of the last commit; answers the new commit's SHA. */
  async revert(): Promise<string> {
    await this.git('revert', '--no-edit', 'HEAD');
    return this.head();
  }

  head(): Promise<string> {
    return this.git('rev-parse', 'HEAD');
  }

  async git(...args: string[]): Promise<string> {
    return (await run('git', ['-C', this.path, ...args])).stdout.trim();
  }

  async #put(file: string, content: Files[string]): Promise<void> {
    await rm(file, { recursive: true, force: true });
    if (content === null) return;
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === 'object' && 'linkTo' in content) await symlink(content.linkTo, file);
    else await writeFile(file, content);
  }
}
