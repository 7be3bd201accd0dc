// A Worker that does nothing, for comparison.
export default {
  async fetch(request) {
    await request.arrayBuffer();
    return new Response("nothing");
  },
};
