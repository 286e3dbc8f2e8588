/** The compute namespace: the meters of this host's Nova instances, from libvirt. */
import { createComputePlugin } from './plugin.ts';

/** Samples carry what the domain's XML has: nobody asks Nova for more. */
export default createComputePlugin(() => ({ flavorId: () => undefined, serverMetadata: () => ({}) }));
