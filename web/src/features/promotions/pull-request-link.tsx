import type { PromotionChangeView } from '@muster/api';
import { ExternalLink } from 'lucide-react';
import { webAddress } from './link.ts';

/** The pull request of a change, on its Git host. */
export function PullRequestLink({
  pullRequest: { number, url },
}: {
  pullRequest: NonNullable<PromotionChangeView['pullRequest']>;
}) {
  const href = webAddress(url);
  const text = `Pull request #${number}`;
  if (href === undefined) return <span title={url}>{text}</span>;
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      className="inline-flex items-center gap-1 text-accent hover:underline"
    >
      {text} <ExternalLink className="size-3" aria-label="(another page)" />
    </a>
  );
}
