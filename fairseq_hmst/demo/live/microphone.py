"""JavaScript of the tab Live: what the microphone hears goes to the page piece by piece.

One piece is on its way at a time. What is spoken meanwhile waits for the next, so that nothing is lost or swapped, and
a slow page hears fewer and longer pieces. `tab.py` has the button that sends a piece.
"""

MICROPHONE = """
hmst.Recording = class {
  static PIECE_SECONDS = 0.25;  // of the shortest piece but the last
  static MAX_WAITING = 1500000;  // samples, 30 s at 48 kHz
  static number = 0;  // of the last piece of the page

  constructor(recorder, media) {
    [this.recorder, this.media] = [recorder, media];
    this.hint = recorder.querySelector('[role=status]').textContent;  // to show again at the end
    this.waiting = [], this.length = 0;  // samples that were not sent
    this.sent = null;  // the piece that is on its way
    this.isFirst = true, this.hasEnded = false;
    this.context = new AudioContext();
    // deprecated, but an AudioWorklet needs a script by an address, which the page's policy does not let it make
    this.node = this.context.createScriptProcessor(4096, 1, 1);
    this.node.onaudioprocess = event => this.add(event.inputBuffer.getChannelData(0));
    this.context.createMediaStreamSource(media).connect(this.node);
    this.node.connect(this.context.destination);
    media.getTracks().forEach(track => track.addEventListener('ended', () => this.end()));
    this.show('■ Stop', 'Listening …');
  }
  show(label, words) {
    const button = this.recorder.querySelector('.hmst-record');
    button.textContent = label;
    button.classList.toggle('hmst-is-recording', label.includes('Stop'));
    this.recorder.querySelector('[role=status]').textContent = words;
  }
  add(samples) {
    const whole = Int16Array.from(samples, sample => Math.max(-32768, Math.min(32767, Math.round(32768 * sample))));
    this.waiting.push(whole);
    this.length += whole.length;
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    this.recorder.querySelector('meter').value = Math.sqrt(peak);
    if (this.length > hmst.Recording.MAX_WAITING) this.close('The page does not answer; try again later.');
    else this.send();
  }
  send() {
    if (this.sent || !(this.hasEnded || this.length >= hmst.Recording.PIECE_SECONDS * this.context.sampleRate)) return;
    const samples = new Int16Array(this.length);
    let place = 0;
    for (const each of this.waiting) { samples.set(each, place); place += each.length; }
    let bytes = '';
    const view = new DataView(samples.buffer);
    samples.forEach((sample, index) => view.setInt16(2 * index, sample, true));
    for (const byte of new Uint8Array(samples.buffer)) bytes += String.fromCharCode(byte);
    this.sent = {
      number: ++hmst.Recording.number, rate: this.context.sampleRate, samples: btoa(bytes),
      first: this.isFirst, last: this.hasEnded,
    };
    [this.waiting, this.length, this.isFirst] = [[], 0, false];
    this.ask(this.sent);
  }
  ask(piece) {
    if (hmst.recording?.sent === piece) document.getElementById('live-piece').click();
  }
  heard(reply) {
    const sent = this.sent;
    if (!sent) return;
    if (reply?.number !== sent.number) setTimeout(() => this.ask(sent), 1000);  // refused, as too many wait
    else if (reply.over) this.close(reply.words || this.hint);
    else { this.sent = null; this.send(); }
  }
  end() {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.mute();
    this.show('● Record', 'The rest is translated …');
    this.recorder.querySelector('.hmst-record').disabled = true;
    this.send();
  }
  mute() {
    this.node.disconnect();
    this.media.getTracks().forEach(track => track.stop());
    this.recorder.querySelector('meter').value = 0;
  }
  close(words) {
    this.mute();
    this.context.close();
    this.show('● Record', words);
    this.recorder.querySelector('.hmst-record').disabled = false;
    hmst.recording = null;
  }
};
hmst.recording = null;
hmst.record = async button => {
  if (hmst.recording) return hmst.recording.end();
  const recorder = button.closest('.hmst-recorder'), status = recorder.querySelector('[role=status]');
  if (!navigator.mediaDevices) {
    status.textContent = 'Browsers give the microphone to https and this computer alone.';
    return;
  }
  button.disabled = true;
  try {
    hmst.recording = new hmst.Recording(recorder, await navigator.mediaDevices.getUserMedia({ audio: true }));
  } catch (error) {
    status.textContent = `The browser does not give the microphone: ${error.message}.`;
  }
  button.disabled = false;
};
"""
