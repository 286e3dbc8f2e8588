/** The libvirt client as the agent uses it. */
import { codeOf } from '../errors.ts';
import { ConnectionError } from './errors.ts';
import { openSession } from './session.ts';
import { defaultVirtUri, parseVirtUri } from './uri.ts';

export { createInspector } from './create-inspector.ts';

/** The URI to use: the operator's, else what `libvirt_type` stands for. */
export function libvirtUri(config: {
  readonly default: { readonly libvirtUri: string; readonly libvirtType: string };
}): string {
  return config.default.libvirtUri || defaultVirtUri(config.default.libvirtType);
}

/** Whether a libvirt can be opened there within the time. Rejects only for a URI that cannot be. */
export async function libvirtAnswers(uri: string, timeoutMs: number): Promise<boolean> {
  const parsed = parseVirtUri(uri);
  const { signal } = new AbortController();
  const ignore = () => undefined;
  try {
    const session = await openSession(parsed, { timeout: timeoutMs, signal, onClose: ignore });
    session.client.destroy(new ConnectionError('only asked whether it answers'));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ERR_CONFIG') throw error;
    return false;
  }
}
