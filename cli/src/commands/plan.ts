import type { PlanInput, PlanResult } from '@muster/api';
import { MusterError, stringify } from '@muster/base';
import type { Command } from 'commander';
import { type Document, locateProblem, readDocuments } from '../documents.ts';
import { EXIT, UsageError } from '../exit.ts';
import { type Context, type Host, verb } from '../host.ts';
import { collectList } from '../names.ts';
import { planMarkdown } from '../plan-markdown.ts';
import { planText } from '../plan-text.ts';

interface PlanOptions {
  filename?: string[];
  recursive?: true;
  repo?: string[];
  revision?: string[];
  base?: string[];
  targetRevision?: string[];
  label?: string[];
  show?: string;
  full?: true;
  output?: string;
  commentId: string;
}

const FORMATS = ['text', 'json', 'yaml', 'markdown'];
/** As many as the hub answers with. */
const EVERYONE = 100_000;

export function planCommand(root: Command, host: Host): void {
  verb(root, 'plan', {
    summary: 'Show what a change would do to the whole fleet, before it is made',
    details:
      'Supposes documents as they would be applied (-f), another revision of a repository (--repo and --revision: what follows its default branch, or --base, is planned as if that pointed there), other labels of clusters (--label), or all of these together. Shows the Applications that would be added, changed and removed, what the deletion budget would hold, the errors there would be, and the rendered differences, grouped by identical change. Nothing is changed. Ends with 0: nothing would change, 2: something would, 1: there would be errors.',
    examples: [
      'muster plan -f appset.yaml',
      'muster plan --repo https://git.example.com/fleet.git --revision my-branch',
      'muster plan --repo https://github.com/org/fleet.git --revision refs/pull/7/merge -o markdown',
      'muster plan --label prod-eu-1 env=prod canary-',
    ],
    ownOutput: 'text, json, yaml or markdown',
  })
    .option('-f, --filename <file>', 'documents: file, folder or - (repeatable)', collectList)
    .option('-R, --recursive', 'folders with their subfolders')
    .option(
      '--repo <url>',
      'a repository that the fleet follows (repeatable, each with a --revision)',
      collectOne,
    )
    .option('--revision <ref>', 'branch, tag, commit, or a ref such as refs/pull/7/head', collectOne)
    .option(
      '--base <ref>',
      'the followed revision that it stands for (default: the default branch)',
      collectOne,
    )
    .option('--target-revision <ref>', 'the same as --base', collectOne)
    .option('--label <words...>', 'CLUSTER KEY=VALUE … sets, CLUSTER KEY- removes labels (repeatable)')
    .option('--show <what>', 'clusters: name every Application with its cluster')
    .option('--full', 'everything: all groups, and the objects that come or go in full')
    .option(
      '--comment-id <id>',
      'of the marker in the markdown, for several plans in one pull request',
      'default',
    )
    .action(host.run(plan));
}

async function plan(context: Context, options: PlanOptions): Promise<number> {
  const { terminal } = context;
  const format = options.output ?? 'text';
  if (!FORMATS.includes(format)) throw new UsageError(`-o ${format} is not known`, FORMATS.join(', '));
  if (options.show !== undefined && options.show !== 'clusters')
    throw new UsageError(`--show ${options.show} is not known`, 'clusters');
  const documents = options.filename
    ? await readDocuments(options.filename, { recursive: options.recursive, terminal })
    : [];
  const result = await ask(context, requestOf(options, documents), documents);
  if (format === 'json') terminal.out(JSON.stringify(result, null, 2));
  else if (format === 'yaml') terminal.out(stringify(result).trimEnd());
  else if (format === 'markdown') terminal.out(planMarkdown(result, options.commentId));
  else {
    const { colour } = terminal;
    const members = options.show === 'clusters';
    terminal.out(planText(result, { colour, full: options.full ?? false, members }));
  }
  const { added, changed, removed, errors } = result.summary;
  if (errors > 0) return EXIT.failed;
  return added + changed + removed > 0 ? EXIT.changes : EXIT.ok;
}

async function ask(context: Context, request: PlanInput, documents: Document[]): Promise<PlanResult> {
  const progress = context.terminal.progress('planning');
  try {
    return await context.client().plan(request, (text) => progress.update(text));
  } catch (thrown) {
    throw locateProblem(MusterError.from(thrown), documents);
  } finally {
    progress.stop();
  }
}

/** What the hub is asked. Throws UsageError for options that do not go together. */
function requestOf(options: PlanOptions, documents: readonly Document[]): PlanInput {
  const { repo = [], revision = [], base = [], targetRevision = [], label = [] } = options;
  const bases = [...base, ...targetRevision];
  if (repo.length !== revision.length)
    throw new UsageError('each --repo needs its --revision', 'muster plan --repo URL --revision REF');
  if (bases.length > 1 && bases.length !== repo.length)
    throw new UsageError('give one --base for all repositories, or one for each');
  if (bases.length > 0 && repo.length === 0) throw new UsageError('--base needs --repo and --revision');
  if (documents.length + repo.length + label.length === 0)
    throw new UsageError('nothing is supposed', 'give -f, --repo with --revision, or --label');
  return {
    documents: documents.map(({ value }) => value),
    revisions: repo.map((url, i) => {
      const stands = bases.length === 1 ? bases[0] : bases[i];
      return { repo: url, revision: revision[i]!, ...(stands ? { base: stands } : {}) };
    }),
    labels: labelChanges(label),
    ...(options.show === 'clusters' ? { members: EVERYONE } : {}),
    ...(options.full ? { groups: 10_000 } : {}),
  };
}

/** `CLUSTER KEY=VALUE KEY- CLUSTER …` by cluster. */
export function labelChanges(words: readonly string[]): NonNullable<PlanInput['labels']> {
  const found: { cluster: string; set: Record<string, string>; remove: string[] }[] = [];
  for (const word of words) {
    const at = word.indexOf('=');
    const last = found.at(-1);
    if (at < 1 && !word.endsWith('-')) found.push({ cluster: word, set: {}, remove: [] });
    else if (!last) throw new UsageError(`--label ${word}: of which cluster?`, '--label CLUSTER KEY=VALUE');
    else if (at > 0) last.set[word.slice(0, at)] = word.slice(at + 1);
    else last.remove.push(word.slice(0, -1));
  }
  const idle = found.find(({ set, remove }) => Object.keys(set).length + remove.length === 0);
  if (idle) throw new UsageError(`--label ${idle.cluster}: which label?`, 'KEY=VALUE sets, KEY- removes');
  return found;
}

function collectOne(text: string, before: string[] = []): string[] {
  return [...before, text];
}
