import { type ApplicationSet, unsupportedIgnores } from '@muster/appset';
import { MusterError } from '@muster/base';
import { rollingSyncPolicy } from '@muster/rollout';
import { z } from 'zod';
import { DECISIONS, PLUGINS, pluginTopic } from '../generators/topics.ts';
import { issuesOf } from '../projects/issues.ts';
import { generatorTopic } from '../sources/scm/scm-topics.ts';
import { scmProblem } from '../sources/scm/scm-config.ts';

const name = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name');
const loose = z.looseObject({});
const keys = z.array(z.string().max(1000)).max(1000);

const document = z.strictObject({
  apiVersion: z.literal('argoproj.io/v1alpha1'),
  kind: z.literal('ApplicationSet'),
  metadata: z.looseObject({ name, namespace: name.optional() }),
  spec: z.strictObject({
    generators: z.array(loose).min(1, 'at least one generator is needed').max(100),
    template: z.strictObject({ metadata: loose.optional(), spec: loose }),
    goTemplate: z.boolean().optional(),
    goTemplateOptions: z.array(z.string().max(1000)).max(20).optional(),
    templatePatch: z.string().max(1_000_000).optional(),
    syncPolicy: z
      .strictObject({
        preserveResourcesOnDeletion: z.boolean().optional(),
        applicationsSync: z.enum(['create-only', 'create-update', 'create-delete', 'sync']).optional(),
      })
      .nullish(),
    strategy: z.looseObject({ type: z.string().optional() }).nullish(),
    preservedFields: z.strictObject({ annotations: keys.optional(), labels: keys.optional() }).nullish(),
    ignoreApplicationDifferences: z
      .array(
        z.strictObject({
          name: z.string().max(253).optional(),
          jsonPointers: keys.optional(),
          jqPathExpressions: keys.optional(),
        }),
      )
      .max(100)
      .nullish(),
    applyNestedSelectors: z.boolean().optional(),
  }),
  status: z.unknown().optional(),
});

/** Generators that this hub can expand; others are refused by name. */
const SUPPORTED = new Set([
  'list',
  'clusters',
  'git',
  'matrix',
  'merge',
  'scmProvider',
  'pullRequest',
  'clusterDecisionResource',
  'plugin',
  'selector',
]);

export interface WrittenRepository {
  url: string;
  revision: string;
}

/** An ApplicationSet that was checked, and what is read from it. */
export interface CheckedSet {
  set: ApplicationSet;
  /** The project of all its Applications; '' when a template may choose another one for each. */
  project: string;
  dependsOnClusters: boolean;
  /** Those of its git generators that are written without a template. */
  repositories: WrittenRepository[];
  /** What its generators ask besides (generators/topics.ts). */
  topics: string[];
  notices: string[];
}

/** Checks an ApplicationSet document. Throws MusterError `invalid` or `unsupported` that names the fields. */
export function checkApplicationSet(written: unknown, where: string): CheckedSet {
  const parsed = document.safeParse(written);
  if (!parsed.success) throw new MusterError('invalid', issuesOf(parsed.error), { where });
  const set = parsed.data as unknown as ApplicationSet;
  const found = nothingFound();
  parsed.data.spec.generators.forEach((generator, i) => walk(generator, `spec.generators[${i}]`, found));
  const { strategy, templatePatch, template } = parsed.data.spec;
  if (strategy?.type && strategy.type !== 'AllAtOnce' && strategy.type !== 'RollingSync')
    found.problems.push(`spec.strategy.type: ${strategy.type} is neither AllAtOnce nor RollingSync`);
  rollingSyncPolicy(strategy, where);
  if (found.problems.length > 0) throw new MusterError('unsupported', found.problems.join('; '), { where });
  const project = String(template.spec['project'] ?? 'default');
  const free =
    project.includes('{{') || templatePatch !== undefined || parsed.data.spec.generators.some(hasTemplate);
  return {
    set,
    project: free ? '' : project,
    dependsOnClusters: found.kinds.has('clusters') || found.kinds.has('clusterDecisionResource'),
    repositories: found.repositories,
    topics: [...found.topics],
    notices: noticesOf(set),
  };
}

/** The repositories that the git generators of a set name without a template. */
export function writtenRepositories(set: ApplicationSet): WrittenRepository[] {
  const found = nothingFound();
  set.spec.generators?.forEach((generator) => walk(generator as Record<string, unknown>, '', found));
  return found.repositories;
}

interface Found {
  kinds: Set<string>;
  repositories: WrittenRepository[];
  topics: Set<string>;
  problems: string[];
}

const nothingFound = (): Found => ({ kinds: new Set(), repositories: [], topics: new Set(), problems: [] });

function walk(generator: Record<string, unknown>, where: string, found: Found): void {
  for (const [kind, value] of Object.entries(generator)) {
    if (value === null || value === undefined) continue;
    if (!SUPPORTED.has(kind)) {
      found.problems.push(`${where}.${kind}: this generator is not supported yet`);
      continue;
    }
    found.kinds.add(kind);
    const inner = value as { generators?: unknown; repoURL?: unknown; revision?: unknown };
    if (kind === 'git' && typeof inner.repoURL === 'string') {
      const revision = String(inner.revision || 'HEAD');
      // What a template says is known once it was expanded: the set follows what it read then.
      if (!inner.repoURL.includes('{{') && !revision.includes('{{'))
        found.repositories.push({ url: inner.repoURL, revision });
    }
    if (kind === 'scmProvider' || kind === 'pullRequest') {
      const problem = scmProblem(value as Record<string, unknown>);
      if (problem) found.problems.push(`${where}.${kind}.${problem}`);
      const topic = generatorTopic(kind, value as Record<string, unknown>);
      if (topic) found.topics.add(topic);
    }
    if (kind === 'plugin') found.topics.add(PLUGINS).add(pluginTopic(pluginName(value)));
    if (kind === 'clusterDecisionResource') found.topics.add(DECISIONS);
    if (Array.isArray(inner.generators)) {
      inner.generators.forEach((child, i) => {
        if (child && typeof child === 'object')
          walk(child as Record<string, unknown>, `${where}.${kind}.generators[${i}]`, found);
      });
    }
  }
}

/** `*` where a matrix fills it in. */
function pluginName(generator: unknown): string {
  const { configMapRef } = generator as { configMapRef?: { name?: unknown } };
  const written = typeof configMapRef?.name === 'string' ? configMapRef.name : '';
  return written.includes('{{') ? '*' : written;
}

function hasTemplate(generator: Record<string, unknown>): boolean {
  return JSON.stringify(generator).includes('"template"');
}

function noticesOf(set: ApplicationSet): string[] {
  return unsupportedIgnores(set.spec).map(
    (field) => `${field} has no effect: only JSON pointers and jq paths to one field are understood`,
  );
}
