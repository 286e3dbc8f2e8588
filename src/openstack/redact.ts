/** The text without these, nor anything that looks like a token of Keystone. */
export function redact(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) if (secret !== '') safe = safe.replaceAll(secret, '***');
  return safe.replaceAll(/gAAAA[\w=-]{20,}/g, '***');
}
