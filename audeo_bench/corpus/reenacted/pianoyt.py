"""Which of PianoYT's labels belong to the paper's recordings.

PianoYT (A. S. Koepke, O. Wiles, Y. Moses, A. Zisserman, "Sight to sound: An end-to-end approach for visual
piano transcription", ICASSP 2020; CC BY 4.0) labels videos of the same pianist: the paper's three test
recordings and 18 of its 24 training recordings are among them. PianoYT itself does not say so; matched here
by their video ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One recording of the paper that PianoYT labels.

    Attributes
    ----------
    book, number : int
        Of the Well-Tempered Clavier.
    pianoyt : int
        PianoYT's number of the video.
    youtube : str
    sha256 : str
        Of the MIDI file as published.
    """

    book: int
    number: int
    pianoyt: int
    youtube: str
    sha256: str

    @property
    def file(self) -> str:
        """The MIDI file's place in PianoYT's folder."""
        return f"pianoyt_MIDI/audio_{self.pianoyt}.0.midi"


LABELS = (
    Label(1, 1, 241, "_3qnL9ddHuw", "422a9d8f562153a9a9fef84437647b4fb43c40aa1658caa332a3067b7740f01f"),
    Label(1, 3, 239, "vGdV4mJhaKU", "92dc93630c9f7546357897d2945d5661f958584c2fb399e760719d2e0359fc13"),
    Label(1, 4, 238, "W5lOLZsjOp8", "05beae707ee657b63eef7edd1fd550d14dbd29096ce92a064d00aaf3e18be7cd"),
    Label(1, 5, 237, "vHi3_k4XOrA", "771f9aa7d5b2e47487840e74dfef94e4c7d53ab91231f28aa0a470b10af47ce9"),
    Label(1, 6, 236, "PIS76X17Mf8", "acb3dbb08cc491bbb800397d5610efd32ac0d8f0ee4b20818a803f896bf8c79f"),
    Label(1, 9, 229, "49dCBsIGsgY", "e648f277ee5eb67909208c1c51d151daf687ee129c460179bca12799e3d0a4db"),
    Label(1, 13, 220, "MGMxImcYhiI", "6563d238e838ab6a7ba5e34ca181b2d6f0e96833e2101151003fb29ce2d1c5f6"),
    Label(1, 14, 219, "WqFyqbD9VEQ", "ee1131bcb1e235df6db778262b38066306c055535053c25e4b35a61a81ca8ae3"),
    Label(1, 15, 217, "V0P_2QG84MM", "0c62ed66734414686a47c976791c69b91922301b6ed0f624f45389d2ddb70161"),
    Label(1, 16, 216, "1eEcy3MgqxA", "68c753e4abcebc768c1ce22986c8fb8b7cfd6f2844f5f12e67eaa23b76140b60"),
    Label(1, 17, 215, "GH-kkZQQ8G8", "185b0fd8ddb122ddc778fd8f6e11c9d692cbd17888f2ac253d1900a522d98776"),
    Label(1, 18, 213, "Kk58v56rD0s", "c0d167155fcad634d8c7956385c07ec144278a0d796b3e47456cf858d25d0f34"),
    Label(1, 19, 212, "WWqRR7RZGXw", "b37e861981ef2cd0d61bdc61e070f7ce35bf3e0743dcbc90ebe62331729ab5a0"),
    Label(1, 20, 178, "ouhp7O3Sz8M", "abd3f07d9c5776a7ea450cbd9f73f6fbb8ad3d75f57976c57ff79dd66854e062"),
    Label(1, 21, 177, "U0v4CckNE68", "c4bbc30f0ff39dbf2029475eb320a30d42ff9ef3d223f348e659aa947295de0a"),
    Label(1, 22, 174, "VaqWF70DjYs", "3ca6a7b0533540ef9215d9890adc352d008250893a95d4de278fe9a1aebf68c9"),
    Label(1, 23, 171, "m2yadhLP8H8", "1bce984af008631849b1928eb1adfcdda4e6a64955b0e6193033d16116c3d891"),
    Label(1, 24, 170, "wRJlm0lCyoI", "9b22292e0c0afe8d3b08eacb508aa6dde4a9dc7a69f3ae10b01a02bc18a2e858"),
    Label(2, 1, 169, "u5nBBJndN3I", "32b2e985da8a58d7c4c80631cbdd92c18325f11744031efe9ce5f5f78cc07bd8"),
    Label(2, 2, 168, "nwwHuxHMIpc", "606cfbad5828e7873185dad57ebee4fb3f4696e728a25b16dba0a508a148fcef"),
    Label(2, 3, 167, "ra1jf2nzJPg", "907d3a66dc44fbdadc31d50ac447b058021d631ae25a390b697fc8445181e1f7"),
)
