import type { z } from 'zod';

/** What a schema found, in words with field paths: `spec.source.path: expected string, received number; …`. */
export function issuesOf(error: z.ZodError, root = ''): string {
  const texts = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${pathOf([...issue.path, key], root)}: unknown field`);
    }
    return [`${pathOf(issue.path, root)}: ${lowerFirst(issue.message.replace(/^Invalid input: /, ''))}`];
  });
  const shown = texts.slice(0, 10);
  return shown.join('; ') + (texts.length > shown.length ? `; and ${texts.length - shown.length} more` : '');
}

function pathOf(path: readonly PropertyKey[], root: string): string {
  let text = root;
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text || 'document';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
