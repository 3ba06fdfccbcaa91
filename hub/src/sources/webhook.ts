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

function header(headers: Headers, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

/** Compares in a time that depends on neither content nor length. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'webhook').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted)) && given !== '';
}
