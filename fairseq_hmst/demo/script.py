"""JavaScript of the page's own HTML: copy the answer, play and zoom the picture."""

# execCommand and not navigator.clipboard: browsers give the latter to https and this computer alone, not to --host
SCRIPT = """
window.hmst = {
  copy(button) {
    getSelection().selectAllChildren(button.closest('.hmst-answer').querySelector('.hmst-text'));
    if (!document.execCommand('copy')) return;
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  },
  // what is in the middle stays there
  zoom(slider) {
    const picture = slider.closest('.hmst-picture'), scroll = picture.querySelector('.hmst-scroll');
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    picture.style.setProperty('--zoom', slider.value);
    scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2;
  },
  toggle(button) {
    const audio = button.closest('.hmst-picture').querySelector('audio');
    audio.paused ? audio.play() : audio.pause();
  },
  playFrom(event) {
    const audio = event.currentTarget.closest('.hmst-picture').querySelector('audio');
    const box = event.currentTarget.getBoundingClientRect();
    if (!audio || !audio.duration) return;
    audio.currentTime = audio.duration * (event.clientX - box.left) / box.width;
    audio.play();
  },
  // while it plays: the button says how to end it, and the cursor moves and stays in sight
  follow(audio) {
    const picture = audio.closest('.hmst-picture'), scroll = picture.querySelector('.hmst-scroll');
    for (const other of document.querySelectorAll('.hmst-picture audio')) if (other !== audio) other.pause();
    picture.querySelector('.hmst-play').textContent = '❚❚ Pause';
    const step = () => {
      const place = audio.currentTime / audio.duration, x = place * scroll.scrollWidth - scroll.scrollLeft;
      picture.style.setProperty('--at', 100 * place + '%');
      if (x > scroll.clientWidth || x < 0) scroll.scrollLeft += x;
      if (!audio.paused) requestAnimationFrame(step);
    };
    step();
  },
  rest(audio) {
    audio.closest('.hmst-picture').querySelector('.hmst-play').textContent = '▶ Play';
  },
};
"""
