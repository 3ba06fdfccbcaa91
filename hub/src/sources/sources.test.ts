import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { explainGitError } from './git-error.ts';
import { GitFailure } from './git-process.ts';
import { parseTree } from './git-objects.ts';
import { parseLsRemote, resolveRevision } from './refs.ts';
import { parseRepositoryUrl, repositoryLocation } from './repository-url.ts';
import { readWebhook } from './webhook-event.ts';
import { senderOf, verifyWebhook } from './webhook.ts';

describe('repository URLs', () => {
  test.each([
    ['https://github.com/Org/App.git', 'https://github.com/org/app'],
    ['https://github.com/org/app/', 'https://github.com/org/app'],
    ['https://user@git.example.com/Org/App.git', 'https://git.example.com/Org/App'],
    ['git@github.com:Org/App.git', 'ssh://git@github.com/org/app'],
    ['ssh://git@github.com:22/org/app', 'ssh://git@github.com/org/app'],
    ['ssh://git@git.example.com:2222/a.git', 'ssh://git@git.example.com:2222/a'],
    ['/srv/git/app.git', 'file:///srv/git/app.git'],
  ])('%s is %s', (written, normalised) => {
    expect(parseRepositoryUrl(written).normalised).toBe(normalised);
  });

  test.each([
    ['https://user:secret@example.com/a', /holds a password/],
    ['ext::sh -c id', /not a repository URL|reached by https/],
    ['--upload-pack=id', /not allowed/],
    ['ssh://-oProxyCommand=id/a', /not a/],
    ['ftp://example.com/a', /not by ftp/],
    ['', /empty/],
  ])('%s is refused', (written, message) => {
    expect(() => parseRepositoryUrl(written)).toThrow(message);
  });

  test('https and ssh spellings name one location', () => {
    expect(repositoryLocation('git@github.com:Org/App.git')).toBe(
      repositoryLocation('https://github.com/org/app'),
    );
  });
});

describe('revisions', () => {
  const id = (digit: string) => digit.repeat(40);
  const refs = parseLsRemote(
    [
      `ref: refs/heads/main\tHEAD`,
      `${id('1')}\tHEAD`,
      `${id('1')}\trefs/heads/main`,
      `${id('2')}\trefs/heads/release/1.x`,
      `${id('3')}\trefs/tags/v1.0.0`,
      `${id('4')}\trefs/tags/v1.0.0^{}`,
      `${id('5')}\trefs/tags/1.2.0`,
    ].join('\n'),
  );

  test.each([
    ['', '1'],
    ['HEAD', '1'],
    ['main', '1'],
    ['release/1.x', '2'],
    ['v1.0.0', '4'],
    ['1.x', '5'],
    ['~1.0.0', '4'],
  ])('%j is found', (revision, digit) => {
    expect(resolveRevision(revision, refs)).toMatchObject({ kind: 'resolved', commit: id(digit) });
  });

  test('commit ids are looked up, all else is unknown', () => {
    expect(resolveRevision('ABCDEF1', refs)).toEqual({ kind: 'commit', id: 'abcdef1' });
    expect(resolveRevision('2.x', refs)).toEqual({ kind: 'unknown' });
    expect(resolveRevision('nothing', refs)).toEqual({ kind: 'unknown' });
  });
});

test('a raw tree is taken apart, whatever the names hold', () => {
  const oid = Buffer.alloc(20, 0xab);
  const tree = Buffer.concat([
    Buffer.from('40000 dir\0'),
    oid,
    Buffer.from('100644 a b\nc.yaml\0'),
    oid,
    Buffer.from('120000 link\0'),
    oid,
    Buffer.from('160000 sub\0'),
    oid,
  ]);
  expect(parseTree(tree, 20).map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'dir dir',
    'file a b\nc.yaml',
    'symlink link',
    'submodule sub',
  ]);
});

describe('webhooks', () => {
  const body = Buffer.from('{"repository":{"clone_url":"https://x/y.git"}}');
  const hmac = createHmac('sha256', 'secret').update(body).digest('hex');

  test.each([
    ['github', { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac}` }],
    ['gitea', { 'x-github-event': 'push', 'x-gitea-event': 'push', 'x-gitea-signature': hmac }],
    ['gitea', { 'x-forgejo-event': 'push', 'x-forgejo-signature': hmac }],
    ['gitlab', { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'secret' }],
    ['bitbucket', { 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${hmac}` }],
  ] as const)('%s is recognised and verified', (sender, headers) => {
    expect(senderOf(headers)).toBe(sender);
    const secrets = { [sender]: 'secret' };
    verifyWebhook(sender, headers, body, secrets);
    expect(() => verifyWebhook(sender, headers, body, { [sender]: 'other' })).toThrow('does not match');
    expect(() => verifyWebhook(sender, {}, body, secrets)).toThrow('does not match');
    expect(() => verifyWebhook(sender, headers, body, {})).toThrow('no secret is set');
  });

  test('payloads name their repositories', () => {
    const clones = {
      repository: { links: { html: { href: 'https://b/a' }, clone: [{ href: 'git@b:a.git' }] } },
    };
    expect(readWebhook('bitbucket', {}, Buffer.from(JSON.stringify(clones)))).toMatchObject({
      repositories: ['https://b/a', 'git@b:a.git'],
    });
    expect(readWebhook('github', {}, Buffer.from('{"zen":"x"}'))).toEqual({ repositories: [], topics: [] });
    for (const nothing of ['{}', 'null', '[]', '7', '{"repository":[]}'])
      expect(() => readWebhook('github', {}, Buffer.from(nothing))).toThrow('names no repository');
    expect(() => readWebhook('github', {}, Buffer.from('{'))).toThrow('not JSON');
  });
});

test.each([
  ["fatal: could not read Username for 'https://x': terminal prompts disabled", 'forbidden'],
  ['git@github.com: Permission denied (publickey).', 'forbidden'],
  ['Host key verification failed.', 'forbidden'],
  ['fatal: unable to access: Could not resolve host: x', 'unavailable'],
  ["fatal: repository 'https://x/' not found", 'not-found'],
  ["fatal: transport 'ext' not allowed", 'forbidden'],
  ['fatal: something else', 'unavailable'],
])('git says %j: %s', (stderr, code) => {
  const error = explainGitError(new GitFailure('fetch', 128, stderr), 'https://x');
  expect(error).toMatchObject({ code, message: expect.stringContaining('https://x') });
});
