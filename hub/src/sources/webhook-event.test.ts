import { describe, expect, test } from 'vitest';
import { generatorTopic } from './scm/scm-topics.ts';
import { readWebhook } from './webhook-event.ts';
import type { WebhookSender } from './webhook.ts';

const read = (sender: WebhookSender, headers: Record<string, string>, payload: unknown) =>
  readWebhook(sender, headers, Buffer.from(JSON.stringify(payload)));

const github = {
  action: 'labeled',
  number: 7,
  pull_request: { number: 7, state: 'open', head: { ref: 'feature' }, labels: [{ name: 'preview' }] },
  label: { name: 'preview' },
  repository: {
    id: 1,
    name: 'Shop',
    full_name: 'Acme/Shop',
    owner: { login: 'Acme' },
    html_url: 'https://github.com/Acme/Shop',
    clone_url: 'https://github.com/Acme/Shop.git',
    ssh_url: 'git@github.com:Acme/Shop.git',
    git_url: 'git://github.com/Acme/Shop.git',
    url: 'https://api.github.com/repos/Acme/Shop',
  },
  sender: { login: 'ada' },
};
const gitlab = {
  object_kind: 'merge_request',
  event_type: 'merge_request',
  project: {
    id: 42,
    name: 'shop',
    web_url: 'https://git.example:8443/acme/team/shop',
    git_ssh_url: 'git@git.example:acme/team/shop.git',
    git_http_url: 'https://git.example:8443/acme/team/shop.git',
    path_with_namespace: 'acme/team/shop',
    default_branch: 'main',
  },
  repository: { name: 'shop', homepage: 'https://git.example:8443/acme/team/shop' },
  object_attributes: {
    iid: 3,
    action: 'open',
    state: 'opened',
    target_project_id: 42,
    source_project_id: 51,
  },
  labels: [{ title: 'preview' }],
};
const bitbucket = {
  eventKey: 'pr:opened',
  date: '2026-02-03T10:00:00+0000',
  actor: { name: 'ada', id: 1 },
  pullRequest: {
    id: 11,
    state: 'OPEN',
    fromRef: { displayId: 'feature', repository: { slug: 'shop', project: { key: '~ADA' } } },
    toRef: { displayId: 'main', repository: { slug: 'shop', id: 84, project: { key: 'ACME' } } },
  },
};

describe('a change of a pull request is told to the sets that ask of its repository', () => {
  const asks = (generator: Record<string, unknown>) => generatorTopic('pullRequest', generator);

  test('of GitHub, whatever the case of names', () => {
    const { topics, repositories } = read('github', { 'x-github-event': 'pull_request' }, github);
    expect(topics).toContain(asks({ github: { owner: 'acme', repo: 'shop', labels: ['preview'] } }));
    expect(topics).toContain(
      asks({ github: { api: 'https://api.github.com/', owner: 'Acme', repo: 'Shop' } }),
    );
    expect(topics).not.toContain(asks({ github: { owner: 'acme', repo: 'other' } }));
    expect(topics).not.toContain(
      asks({ github: { api: 'https://ghe.example/api/v3', owner: 'acme', repo: 'shop' } }),
    );
    expect(topics).not.toContain(asks({ gitea: { api: 'https://github.com', owner: 'acme', repo: 'shop' } }));
    expect(repositories).toContain('https://github.com/Acme/Shop.git');
  });

  test('of GitLab, by the path or the number of its project', () => {
    const { topics } = read('gitlab', { 'x-gitlab-event': 'Merge Request Hook' }, gitlab);
    expect(topics).toContain(
      asks({ gitlab: { api: 'https://git.example:8443', project: 'acme/team/shop' } }),
    );
    expect(topics).toContain(asks({ gitlab: { api: 'https://git.example:8443/api/v4', project: 42 } }));
    expect(topics).not.toContain(asks({ gitlab: { project: 'acme/team/shop' } }));
    expect(topics).not.toContain(asks({ gitlab: { api: 'https://git.example', project: '51' } }));
  });

  test('of Bitbucket Server, which does not say its own address', () => {
    const { topics, ending } = read('bitbucket', { 'x-event-key': 'pr:opened' }, bitbucket);
    expect(topics).toContain(
      asks({ bitbucketServer: { api: 'https://b.example', project: 'acme', repo: 'shop' } }),
    );
    expect(topics).not.toContain(
      asks({ bitbucketServer: { api: 'https://b.example', project: '~ada', repo: 'shop' } }),
    );
    expect(ending).toBe('/acme/shop');
  });

  test('and to a set whose matrix fills in the repository', () => {
    const { topics } = read('github', { 'x-github-event': 'pull_request' }, github);
    expect(topics).toContain(asks({ github: { owner: 'acme', repo: '{{ .repository }}' } }));
    expect(topics).not.toContain(asks({ gitlab: { project: '{{ .id }}' } }));
  });
});

test.each([
  ['github', { 'x-github-event': 'pull_request' }, { ...github, action: 'assigned' }],
  ['github', { 'x-github-event': 'pull_request_review_comment' }, { ...github, action: 'created' }],
  ['github', { 'x-github-event': 'push' }, { ...github, action: undefined }],
  [
    'gitlab',
    { 'x-gitlab-event': 'Merge Request Hook' },
    { ...gitlab, object_attributes: { action: 'approved' } },
  ],
  ['gitlab', { 'x-gitlab-event': 'Push Hook' }, { ...gitlab, object_kind: 'push' }],
  ['bitbucket', { 'x-event-key': 'pr:comment:added' }, bitbucket],
] as const)('%s: what cannot change a preview asks for none (%j)', (sender, headers, payload) => {
  expect(read(sender, headers, payload).topics).toEqual(['plugins']);
});

test('a new repository is told to the sets that ask for those of its owner', () => {
  const { topics } = read('github', { 'x-github-event': 'repository' }, { ...github, action: 'created' });
  expect(topics).toContain(generatorTopic('scmProvider', { github: { organization: 'acme' } }));
  expect(generatorTopic('scmProvider', { gitlab: { group: 'acme' } })).toBeUndefined();
});

test.each([null, [], 'x', 7, { repository: 'x', project: 7, pullRequest: [], object_attributes: null }])(
  'a signed payload of another shape (%j) is refused in words',
  (payload) => {
    for (const sender of ['github', 'gitlab', 'gitea', 'bitbucket'] as const)
      expect(() => read(sender, {}, payload)).toThrow('names no repository');
  },
);
