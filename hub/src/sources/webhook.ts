import { createHmac, timingSafeEqual } from 'node:crypto';
import { MusterError } from '@muster/base';

export type WebhookSender = 'github' | 'gitlab' | 'gitea' | 'bitbucket';

export type WebhookSecrets = Partial<Record<WebhookSender, string>>;

/** Headers with lower-case names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Who sent a webhook, by its headers; undefined: nobody that is known. Forgejo and Gogs send Gitea's headers. */
export function senderOf(headers: Headers): WebhookSender | undefined {
  // Gitea also sends X-GitHub-Event, so it is asked first.
  if (headers['x-gitea-event'] ?? headers['x-forgejo-event'] ?? headers['x-gogs-event']) return 'gitea';
  if (headers['x-github-event']) return 'github';
  if (headers['x-gitlab-event']) return 'gitlab';
  return headers['x-event-key'] ? 'bitbucket' : undefined;
}

/** Checks the signature over the raw body. Throws `forbidden`: no secret is set, or the signature does not fit. */
export function verifyWebhook(
  sender: WebhookSender,
  headers: Headers,
  body: Buffer,
  secrets: WebhookSecrets,
): void {
  const secret = secrets[sender];
  if (!secret) {
    throw new MusterError('forbidden', `webhooks of ${sender} are refused: no secret is set`, {
      hint: `set MUSTER_WEBHOOK_SECRET_${sender.toUpperCase()}`,
    });
  }
  const hmac = createHmac('sha256', secret).update(body).digest('hex');
  const given: Record<WebhookSender, [string, string]> = {
    github: [header(headers, 'x-hub-signature-256'), `sha256=${hmac}`],
    gitlab: [header(headers, 'x-gitlab-token'), secret],
    gitea: [
      header(headers, 'x-gitea-signature') ||
        header(headers, 'x-forgejo-signature') ||
        header(headers, 'x-gogs-signature'),
      hmac,
    ],
    bitbucket: [header(headers, 'x-hub-signature'), `sha256=${hmac}`],
  };
  if (!same(...given[sender]))
    throw new MusterError('forbidden', 'the signature of the webhook does not match');
}

/** The URLs under which the repository of a push may be known. Throws `invalid` for a payload that is none. */
export function repositoriesOf(sender: WebhookSender, body: Buffer): string[] {
  let payload: Record<string, unknown>;
  try {
    payload = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch {
    throw new MusterError('invalid', 'the body of the webhook is not JSON');
  }
  const repository = objectAt(payload, 'repository');
  const project = objectAt(payload, 'project');
  const links = objectAt(repository, 'links');
  const clones = Array.isArray(links['clone'])
    ? (links['clone'] as Record<string, unknown>[]).map((one) => one['href'])
    : [];
  const found: unknown[] = {
    github: [repository['clone_url'], repository['ssh_url'], repository['html_url'], repository['git_url']],
    gitea: [repository['clone_url'], repository['ssh_url'], repository['html_url']],
    gitlab: [
      project['git_http_url'],
      project['git_ssh_url'],
      project['web_url'],
      repository['git_http_url'],
      repository['git_ssh_url'],
      repository['homepage'],
    ],
    bitbucket: [objectAt(links, 'html')['href'], ...clones],
  }[sender];
  const urls = found.filter(
    (url): url is string => typeof url === 'string' && url !== '' && url.length < 2000,
  );
  if (urls.length === 0 && !isPing(sender, payload))
    throw new MusterError('invalid', 'the webhook names no repository');
  return [...new Set(urls)];
}

function isPing(sender: WebhookSender, payload: Record<string, unknown>): boolean {
  return sender === 'github' ? 'zen' in payload : sender === 'bitbucket' && payload['test'] === true;
}

function header(headers: Headers, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function objectAt(of: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = of[key];
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** Compares in a time that depends on neither content nor length. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'webhook').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted)) && given !== '';
}
