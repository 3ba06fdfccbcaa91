import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realEngines } from './testing/engines.ts';
import {
  type Application,
  type ClusterFacts,
  expand,
  type ExpandInput,
  ExpansionError,
  type RepoContents,
} from './index.ts';

const engines = realEngines();
const folder = join(import.meta.dirname, '../../../../shared/conformance/applicationset');

interface Case {
  name: string;
  group: string;
  description: string;
  applicationSet: ExpandInput['applicationSet'];
  clusters?: ClusterFacts[];
  gitRepos?: Record<string, { dirs?: string[]; files?: Record<string, string> }>;
  projects?: string[];
  options?: Record<string, unknown>;
}

function reposOf(given: NonNullable<Case['gitRepos']>): RepoContents {
  return {
    tree(repoURL) {
      const repo = given[repoURL];
      if (!repo) throw new Error(`repository ${repoURL} not found`);
      const files = repo.files ?? {};
      return { files: Object.keys(files), directories: repo.dirs ?? [], read: (path) => files[path]! };
    },
  };
}

function view({ metadata, spec, operation }: Application) {
  const { name, labels, annotations, finalizers } = metadata;
  return JSON.parse(JSON.stringify({ name, labels, annotations, finalizers, operation, spec })) as {
    name: string;
  };
}

async function run(given: Case): Promise<unknown> {
  try {
    const { applications, validationErrors } = await expand(
      {
        applicationSet: given.applicationSet,
        clusters: given.clusters ?? [],
        repos: reposOf(given.gitRepos ?? {}),
        projects: given.projects,
        options: given.options,
      },
      engines,
    );
    const out = applications.map(view);
    return {
      applications: sorted(out),
      ...(Object.keys(validationErrors).length > 0 ? { validationErrors } : {}),
    };
  } catch (error) {
    if (error instanceof ExpansionError) return { error: error.message, reason: error.reason };
    throw error;
  }
}

/** By name, then by content: applications of one name have no order. */
function sorted<T extends { name: string }>(applications: T[]): T[] {
  const key = (application: T) => `${application.name}\n${JSON.stringify(application)}`;
  return applications.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe.skipIf(!existsSync(folder))(`Argo CD's own answers (${folder})`, () => {
  const files = existsSync(folder) ? readdirSync(join(folder, 'cases')).sort() : [];
  it.each(files)('%s', async (file) => {
    const read = (part: string) => JSON.parse(readFileSync(join(folder, part, file), 'utf8')) as never;
    const expected = read('expected') as {
      error?: string;
      reason?: string;
      applications: { name: string }[];
    };
    const answer = (await run(read('cases'))) as typeof expected;
    if (expected.error !== undefined) {
      expect(answer).toHaveProperty('error');
      expect(answer.reason).toBe(expected.reason);
    } else expect(answer).toEqual({ ...expected, applications: sorted(resort(expected.applications)) });
  });
});

/** Key order does not matter in JSON, but it does for the order among equals. */
function resort<T extends { name: string }>(applications: T[]): T[] {
  return applications.map((application) => {
    const { name, ...rest } = application;
    return { name, ...rest } as T;
  });
}
