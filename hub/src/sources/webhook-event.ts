import { MusterError } from '@muster/base';
import { PLUGINS } from '../generators/topics.ts';
import { hostOf, ownerTopics, pullRequestTopics } from './scm/scm-topics.ts';
import type { Headers, WebhookSender } from './webhook.ts';

/** What a webhook tells of. */
export interface WebhookEvent {
  /** The URLs under which the repository may be known. */
  repositories: string[];
  /** The end of such URLs, where the sender does not say its own address: `/project/repository`. */
  ending?: string;
  /** What generators may ask of (generators/topics.ts). */
  topics: string[];
}

type Fields = Record<string, unknown>;
type Reader = (payload: Fields, event: string) => WebhookEvent;

/** What can change the parameters of a pull request, or whether it is open and labelled. */
const PULL_ACTIONS: Record<WebhookSender, ReadonlySet<string>> = {
  github: new Set(['opened', 'closed', 'reopened', 'synchronize', 'labeled', 'unlabeled', 'edited']),
  gitea: new Set([
    'opened',
    'closed',
    'reopened',
    'synchronized',
    'label_updated',
    'label_cleared',
    'edited',
  ]),
  gitlab: new Set(['open', 'close', 'reopen', 'update', 'merge']),
  bitbucket: new Set([
    'pr:opened',
    'pr:modified',
    'pr:from_ref_updated',
    'pr:merged',
    'pr:declined',
    'pr:deleted',
  ]),
};
/** What adds, removes or renames a repository or a branch. */
const OWNER_EVENTS = new Set(['repository', 'create', 'delete']);
const MAX_URL = 2000;

/** Reads a verified webhook. Throws `invalid` for a payload that names no repository. */
export function readWebhook(sender: WebhookSender, headers: Headers, body: Buffer): WebhookEvent {
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString('utf8'));
  } catch {
    throw new MusterError('invalid', 'the body of the webhook is not JSON');
  }
  const fields = object(payload);
  const name = headers[EVENT[sender]] ?? headers['x-forgejo-event'] ?? headers['x-gogs-event'];
  const event = READERS[sender](fields, text(name));
  const known = event.repositories.length + event.topics.length > 0 || event.ending;
  if (!known && !isPing(sender, fields)) throw new MusterError('invalid', 'the webhook names no repository');
  return { ...event, topics: known ? [...event.topics, PLUGINS] : [] };
}

const EVENT: Record<WebhookSender, string> = {
  github: 'x-github-event',
  gitea: 'x-gitea-event',
  gitlab: 'x-gitlab-event',
  bitbucket: 'x-event-key',
};

const READERS: Record<WebhookSender, Reader> = {
  github: (payload, event) => likeGithub('github', payload, event),
  gitea: (payload, event) => likeGithub('gitea', payload, event),
  gitlab: gitlabEvent,
  bitbucket: bitbucketEvent,
};

function likeGithub(sender: 'github' | 'gitea', payload: Fields, event: string): WebhookEvent {
  const repository = object(payload['repository']);
  const { clone_url, ssh_url, html_url, git_url } = repository;
  const host = hostOf(text(html_url) || text(clone_url)) ?? '';
  const path = text(repository['full_name']);
  const topics: string[] = [];
  if (event.startsWith('pull_request') && PULL_ACTIONS[sender].has(text(payload['action'])))
    topics.push(...pullRequestTopics(sender, host, [path]));
  if (OWNER_EVENTS.has(event)) topics.push(...ownerTopics(sender, host, path.split('/')[0]!));
  return { repositories: urls(clone_url, ssh_url, html_url, git_url), topics };
}

function gitlabEvent(payload: Fields): WebhookEvent {
  const project = object(payload['project']);
  const repository = object(payload['repository']);
  const change = object(payload['object_attributes']);
  const isPull =
    payload['object_kind'] === 'merge_request' && PULL_ACTIONS.gitlab.has(text(change['action']));
  const host = hostOf(text(project['web_url'])) ?? '';
  const paths = [text(project['path_with_namespace']), text(change['target_project_id'])].filter(Boolean);
  return {
    repositories: urls(
      project['git_http_url'],
      project['git_ssh_url'],
      project['web_url'],
      repository['git_http_url'],
      repository['git_ssh_url'],
      repository['homepage'],
    ),
    topics: isPull ? pullRequestTopics('gitlab', host, paths) : [],
  };
}

/** Bitbucket Cloud names its repository with links, Bitbucket Server by project and slug. */
function bitbucketEvent(payload: Fields, event: string): WebhookEvent {
  const target = object(object(object(payload['pullRequest'])['toRef'])['repository']);
  const repository = payload['repository'] === undefined ? target : object(payload['repository']);
  const links = object(repository['links']);
  const clones = Array.isArray(links['clone']) ? links['clone'].map((one) => object(one)['href']) : [];
  const [key, slug] = [text(object(repository['project'])['key']), text(repository['slug'])];
  const path = key && slug ? `${key}/${slug}` : undefined;
  return {
    repositories: urls(object(links['html'])['href'], ...clones),
    ...(path ? { ending: `/${path}`.toLowerCase() } : {}),
    topics: path && PULL_ACTIONS.bitbucket.has(event) ? pullRequestTopics('bitbucket', '', [path]) : [],
  };
}

function isPing(sender: WebhookSender, payload: Fields): boolean {
  return sender === 'github' ? 'zen' in payload : sender === 'bitbucket' && payload['test'] === true;
}

function urls(...found: unknown[]): string[] {
  return [...new Set(found.map(text))].filter((url) => url !== '' && url.length < MAX_URL);
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function object(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}
