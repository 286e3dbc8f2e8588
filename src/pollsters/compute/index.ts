/** The compute namespace: the meters of this host's Nova instances, from libvirt. */
import { createComputePlugin } from './plugin.ts';

export default createComputePlugin();
